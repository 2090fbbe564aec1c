import { once } from "node:events";
import http, { type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { createSessionManager, DriverUnavailableError, isSessionError } from "@sessions/core";
import express from "express";
import { expect, test } from "vitest";
import { sessionMiddleware } from "../src/index.ts";
import { ask, createBackend, gate, listen } from "./support.ts";

// A handler does not stop when its response is taken back because a commit failed.

type Next = (error?: unknown) => void;

async function failing(
  handler: (res: ServerResponse, next: Next) => unknown,
  page?: (res: ServerResponse) => unknown,
  before: (res: ServerResponse) => void = () => undefined,
) {
  const backend = createBackend();
  backend.down.add("create");
  const app = express().set("env", "test");
  app.use((_req, res, next) => {
    before(res);
    next();
  });
  app.use(sessionMiddleware(createSessionManager({ driver: backend.driver })));
  app.use((req, res, next) => {
    req.session.store("app").set("n", 2);
    handler(res, next);
  });
  if (page) app.use((_error: unknown, _req: unknown, res: ServerResponse, _next: Next) => void page(res));
  return ask(await listen(app));
}

test("a stream that the handler piped does not flow into the error page", async () => {
  const chunks = Array.from({ length: 10 }, () => "x".repeat(50_000));
  const answer = await failing(
    (res) => Readable.from(chunks).pipe(res),
    (res) => {
      res.write("error ");
      res.once("drain", () => setImmediate(() => res.end("page")));
    },
  );
  expect(answer.text).toBe("error page");
});

test("a write after the end of the error page breaks neither the page nor the process", async () => {
  let goOn = (): void => undefined;
  const answer = await failing(
    (res) => {
      res.write("a");
      goOn = () => {
        res.write("late");
        res.end("late");
      };
    },
    (res) => {
      res.end("error page");
      // While the page is held, and when it is out. Node would emit an error without a listener.
      goOn();
      res.once("finish", goOn);
    },
  );
  expect([answer.status, answer.text]).toEqual([500, "error page"]);
});

test("calls through methods that the handler or a middleware had saved are dropped", async () => {
  let stale = (): void => undefined;
  const answer = await failing(
    (res) => {
      const { write, end } = res;
      stale = () => {
        Reflect.apply(write, res, ["stale"]);
        Reflect.apply(end, res, ["stale"]);
      };
      res.write("a");
    },
    async (res) => {
      stale();
      await new Promise(setImmediate);
      res.end("error page");
    },
  );
  expect([answer.status, answer.text]).toEqual([500, "error page"]);
});

test("the handler's callbacks get the error after the error page, so that they cannot break it", async () => {
  const heard = gate();
  const log: string[] = [];
  const answer = await failing((res, next) => {
    res.once("close", () => log.push("page out"));
    res.write("a", (error) => {
      log.push(error?.name ?? "no error");
      next(error);
      heard.open();
    });
  });
  await heard.opened;
  expect([answer.status, log]).toEqual([503, ["page out", "DriverUnavailableError"]]);
});

test("a response that cannot be sent in any way is cut, without endless attempts", async () => {
  const answer = failing(
    (res) => res.end("done"),
    (res) => res.end("error page"),
    (res) => {
      res.end = () => {
        throw new Error("of another middleware");
      };
    },
  );
  await expect(answer).rejects.toThrow(/socket hang up|ECONNRESET/);
});

test("the handler's callbacks get the error also if the client disconnected before the commit failed", async () => {
  const held = gate();
  const written = gate();
  const heard = gate();
  const backend = createBackend();
  const app = express().set("env", "test");
  app.use(sessionMiddleware(createSessionManager({ driver: backend.driver })));
  app.use((req, res) => {
    req.session.store("app").set("n", 2);
    res.write("a", () => heard.open());
    res.once("close", held.open);
    written.open();
  });
  backend.beforeWrite = async () => {
    await held.opened;
    throw new DriverUnavailableError("down");
  };
  const request = http.get({ host: "127.0.0.1", port: await listen(app) });
  request.on("error", () => undefined);
  await written.opened;
  request.destroy();
  await heard.opened;
});

test("an error page whose commit fails goes out, and a warning has the error", async () => {
  const warned = once(process, "warning");
  const answer = await failing((res) => {
    res.statusCode = 503;
    res.end("back soon");
  });
  expect([answer.status, answer.text, answer.cookies]).toEqual([503, "back soon", []]);
  const [warning]: unknown[] = await warned;
  expect(isSessionError(warning, "ERR_SESSION_UNAVAILABLE")).toBe(true);
});

test("a status that is set after the end has no effect, not even on the error page", async () => {
  const answer = await failing(
    (res) => res.end("done"),
    (res) => {
      (res.req as express.Request).session.store("app").set("n", 3);
      res.statusCode = 200;
      res.end("page");
      res.statusCode = 500;
    },
  );
  expect(answer.status).toBe(500);
  expect(answer.text).not.toBe("page");
});
