import type http from "node:http";
import net from "node:net";
import { createSessionManager, type Session } from "@sessions/core";
import connect from "connect";
import express5 from "express";
import onHeaders from "on-headers";
import { describe, expect, onTestFinished, test } from "vitest";
import { sessionMiddleware } from "../src/index.ts";
import { createBackend, listen } from "./support.ts";

type Visited = http.IncomingMessage & { session: Session };
type Next = (error?: unknown) => void;
type Middleware = (req: Visited, res: http.ServerResponse, next: Next) => void;

/** A response as it comes over the wire, so that a missing head shows. */
function raw(port: number, { method = "GET", path = "/", cookie = "" }): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1", () =>
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${cookie && `Cookie: ${cookie}\r\n`}\r\n`,
      ),
    );
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("close", () => resolve(text));
    socket.on("error", () => resolve(text));
    // A response that never ends is a failure, not a hang.
    socket.setTimeout(1500, () => socket.destroy());
  });
}

/** How a handler answers, and the body that a client is to have. */
const answers: Record<string, readonly [(res: http.ServerResponse, next: Next) => unknown, RegExp]> = {
  end: [(res) => res.end("body"), /\r\ncontent-length: 4\r\n(.*\r\n)?\r\nbody$/is],
  "writeHead, end": [(res) => res.writeHead(200, { "X-A": "1" }).end("body"), /\r\nx-a: 1\r\n.*body/is],
  "write, end": [
    (res) => {
      res.write("bo");
      res.end("dy");
    },
    /\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n$/,
  ],
  "flushHeaders, end": [
    (res, next) => {
      res.flushHeaders();
      setImmediate(() => {
        try {
          res.end("body");
        } catch (error) {
          next(error);
        }
      });
    },
    /\r\n\r\n4\r\nbody\r\n0\r\n\r\n$/,
  ],
  "status 204": [(res) => res.writeHead(204).end(), /\r\n\r\n$/],
  "status 304": [(res) => res.writeHead(304).end(), /\r\n\r\n$/],
};

/** How another middleware comes to write as the head, or the body, goes out. */
const listeners: Record<string, (res: http.ServerResponse, write: () => void) => void> = {
  "on-headers": (res, write) => onHeaders(res, write),
  "a wrapper of end": (res, write) => {
    const { end } = res;
    let done = false;
    Object.assign(res, {
      end(...args: unknown[]) {
        const first = !done;
        done = true;
        if (first) write();
        return Reflect.apply(end, res, args);
      },
    });
  },
  "a wrapper of end that writes each time": (res, write) => {
    const { end } = res;
    Object.assign(res, {
      end(...args: unknown[]) {
        write();
        return Reflect.apply(end, res, args);
      },
    });
  },
  "a wrapper of writeHead": (res, write) => {
    const { writeHead } = res;
    let done = false;
    Object.assign(res, {
      writeHead(...args: unknown[]) {
        const first = !done;
        done = true;
        if (first) write();
        return Reflect.apply(writeHead, res, args);
      },
    });
  },
};

const stacks: Record<
  string,
  (middlewares: Middleware[], failed: (error: unknown) => void) => http.RequestListener
> = {
  Connect(middlewares, failed) {
    const app = connect();
    for (const middleware of middlewares) app.use(middleware as connect.NextHandleFunction);
    app.use((error: unknown, _req: unknown, res: http.ServerResponse, _next: unknown) => {
      failed(error);
      if (!res.headersSent) res.statusCode = 500;
      res.end("error page");
    });
    return app;
  },
  "Express 5"(middlewares, failed) {
    const app = express5();
    for (const middleware of middlewares) app.use(middleware as never);
    app.use((error: unknown, _req: unknown, res: http.ServerResponse, _next: unknown) => {
      failed(error);
      if (!res.headersSent) res.statusCode = 500;
      res.end("error page");
    });
    return app;
  },
};

const cases = Object.keys(stacks).flatMap((stack) =>
  Object.keys(listeners).flatMap((listener) =>
    ["before", "after"].flatMap((mounted) =>
      Object.keys(answers).flatMap((answer) =>
        // Where the handler itself sent the head, such a wrapper throws at the error page as well.
        (listener.endsWith("each time") && /^(writeHead|status)/.test(answer) ? [] : [0, 5]).map((delay) => ({
          ...{ stack, listener, mounted, answer, delay },
        })),
      ),
    ),
  ),
);

describe("a session write while the head goes out: the response is whole, and the write is stored or refused", () => {
  test.each(cases)("$stack, $listener mounted $mounted ours, $answer, commits of $delay ms", async (it) => {
    const backend = createBackend();
    const sessions = createSessionManager({ driver: backend.driver });
    const [answer, whole] = answers[it.answer] ?? [];
    const listen_ = listeners[it.listener];
    const build = stacks[it.stack];
    if (!answer || !whole || !listen_ || !build) throw new Error("No such case");
    backend.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, it.delay));
    const refusals: unknown[] = [];
    let over: (() => void) | undefined;
    const other: Middleware = (req, res, next) => {
      listen_(res, () => {
        req.session.store("app").update("n", (n) => Number(n ?? 0) + 1);
      });
      res.on("close", () => over?.());
      next();
    };
    const ours = sessionMiddleware(sessions) as Middleware;
    const handler: Middleware = (req, res, next) => {
      // What was read does not make the response wait.
      if (req.url === "/read") req.session.store("app").get("n");
      if (req.url === "/write") req.session.store("app").set("m", 1);
      answer(res, next);
    };
    const port = await listen(
      build([...(it.mounted === "before" ? [other, ours] : [ours, other]), handler], (error) =>
        refusals.push(error),
      ),
    );
    onTestFinished(() => {
      over = undefined;
    });

    const made = sessions.create();
    const cookie = (await made.commit()).setCookie?.split(";")[0] ?? "";
    for (const [index, path] of ["/", "/read", "/write"].entries()) {
      const closed = new Promise<void>((resolve) => {
        over = resolve;
      });
      const text = await raw(port, { path, cookie });
      expect(text).toMatch(/^HTTP\/1\.1 (200|204|304) /);
      expect(text).toMatch(whole);
      await closed;
      await expect
        .poll(async () => (await sessions.open(cookie)).store("app").get("n"), { interval: 5 })
        .toBe(index + 1);
    }
    expect(refusals).toEqual([]);

    // A guest is given the cookie, or the call is refused; the response is whole in any case.
    const text = await raw(port, {});
    const given = /\r\nset-cookie: (sid=[^;]*)/i.exec(text)?.[1];
    if (given === undefined) {
      // Where the head was out already its status stays.
      expect(text).toMatch(/^HTTP\/1\.1 (500|200|204|304) /);
      expect(refusals).toEqual([expect.objectContaining({ code: "ERR_SESSION_HEADERS_SENT" })]);
    } else {
      expect(text).toMatch(whole);
      expect((await sessions.open(given)).store("app").get("n")).toBe(1);
    }
  });
});
