import { once } from "node:events";
import type http from "node:http";
import net from "node:net";
import { Readable } from "node:stream";
import { createSessionManager, type Session } from "@sessions/core";
import connect from "connect";
import express5 from "express";
import express4 from "express4";
import onHeaders from "on-headers";
import { describe, expect, test } from "vitest";
import { openSession, sessionMiddleware } from "../src/index.ts";
import { createBackend, listen } from "./support.ts";

type Visited = http.IncomingMessage & { session: Session };
type Next = (error?: unknown) => void;
type Middleware = (req: Visited, res: http.ServerResponse, next: Next) => void;

/** Returns a response as raw bytes, so that a missing head is visible. */
async function raw(port: number, method: string, path: string, cookie: string): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${cookie && `Cookie: ${cookie}\r\n`}\r\n`,
  );
  let text = "";
  socket.on("data", (data) => {
    text += data;
  });
  // A response that never ends is a failure, not a hang.
  socket.setTimeout(3000, () => socket.destroy());
  await once(socket, "close");
  return text;
}

/** Ways to respond, and the bytes that the client must get. */
interface Way {
  readonly method?: string;
  readonly answer: (res: http.ServerResponse) => unknown;
  readonly whole: RegExp;
}
const LENGTH = "\\r\\ncontent-length: 4\\r\\n(.*\\r\\n)?\\r\\n";
const ways: Record<string, Way> = {
  end: { answer: (res) => res.end("body"), whole: new RegExp(`${LENGTH}body$`, "is") },
  "end with a callback": {
    answer: (res) => res.end("body", "utf8", () => undefined),
    whole: new RegExp(`${LENGTH}body$`, "is"),
  },
  "end of nothing": { answer: (res) => res.end(), whole: /\r\ncontent-length: 0\r\n(.*\r\n)?\r\n$/is },
  "writeHead, end": {
    answer: (res) => res.writeHead(200, { "X-A": "1", "Content-Length": 4 }).end("body"),
    whole: new RegExp(`(?=.*x-a: 1).*${LENGTH}body$`, "is"),
  },
  "a list for writeHead, end": {
    answer: (res) => res.writeHead(200, "Fine", ["X-A", "1", "X-A", "2"]).end("body"),
    whole: /200 Fine.*x-a: 1\r\nx-a: 2\r\n.*\r\n\r\n(4\r\nbody\r\n0\r\n\r\n|body)$/is,
  },
  "write, end": {
    answer(res) {
      res.write("bo");
      res.end("dy");
    },
    whole: /\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n$/,
  },
  "write of all that is promised, end": {
    answer(res) {
      res.setHeader("Content-Length", 4);
      res.write("body");
      setImmediate(() => res.end());
    },
    whole: new RegExp(`${LENGTH}body$`, "is"),
  },
  "flushHeaders, end": {
    answer(res) {
      res.flushHeaders();
      res.end("body");
    },
    whole: /\r\n\r\n4\r\nbody\r\n0\r\n\r\n$/,
  },
  pipe: {
    answer: (res) => Readable.from(["bo", "dy"]).pipe(res),
    whole: /\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n$/,
  },
  trailers: {
    answer(res) {
      res.setHeader("Trailer", "X-After");
      res.write("body");
      res.addTrailers({ "X-After": "1" });
      res.end();
    },
    whole: /\r\n\r\n4\r\nbody\r\n0\r\nX-After: 1\r\n\r\n$/,
  },
  HEAD: { method: "HEAD", answer: (res) => res.end("body"), whole: /\r\n\r\n$/ },
  204: { answer: (res) => res.writeHead(204).end(), whole: / 204 .*\r\n\r\n$/s },
  304: {
    answer(res) {
      res.statusCode = 304;
      res.end();
    },
    whole: / 304 .*\r\n\r\n$/s,
  },
};

/** Ways in which another middleware is called while the head or the body goes out. */
const places: Record<string, (res: http.ServerResponse, call: () => void) => void> = {
  "a listener of on-headers": onHeaders,
};
for (const method of ["writeHead", "write", "end", "flushHeaders", "setHeader"] as const)
  places[`a wrapper of ${method}`] = (res, call) => {
    const original: (...args: never[]) => unknown = res[method];
    Object.assign(res, {
      [method](...args: never[]) {
        call();
        return Reflect.apply(original, res, args);
      },
    });
  };

const errorPage = (told: (error: unknown) => void, error: unknown, res: http.ServerResponse): void => {
  told(error);
  res.statusCode = 500;
  res.end("error page");
};

type Told = (error: unknown) => void;
type Build = (
  before: Middleware[],
  ours: Middleware,
  after: Middleware[],
  told: Told,
) => http.RequestListener;

const chained =
  (create: () => { use(middleware: never): unknown } & http.RequestListener): Build =>
  (before, ours, after, told) => {
    const app = create();
    for (const middleware of [...before, ours, ...after]) app.use(middleware as never);
    app.use(((error: unknown, _req: unknown, res: http.ServerResponse, _next: unknown) =>
      errorPage(told, error, res)) as never);
    return app;
  };

const stacks: Record<string, Build> = {
  Connect: chained(connect as never),
  "Express 4": chained(express4 as never),
  "Express 5": chained(express5 as never),
  // Calls the middlewares by hand, and sends an error page as an application does.
  "node:http": (before, ours, after, told) => (req, res) => {
    const all = [...before, ours, ...after];
    const next =
      (index: number): Next =>
      (error) => {
        try {
          if (error !== undefined) errorPage(told, error, res);
          else all[index]?.(req as Visited, res, next(index + 1));
        } catch (thrown) {
          errorPage(told, thrown, res);
        }
      };
    next(0)();
  },
};

/** What the middleware does when it is called, and the expected result. */
const acts: Record<string, (session: Session) => void> = {
  update: (session) => session.store("app").update("n", (n) => Number(n ?? 0) + 1),
  set: (session) => void session.store("app").set("n", Number(session.store("app").get("n") ?? 0) + 1),
  login(session) {
    session.login("ada");
    session.store("app").update("n", (n) => Number(n ?? 0) + 1);
  },
  read: (session) => void session.store("app").get("n"),
};

const cases = Object.keys(stacks).flatMap((stack) =>
  Object.keys(places).flatMap((place) => ["before", "after"].map((mounted) => ({ stack, place, mounted }))),
);
/** The other stacks behave as Connect does, so a few cases each are enough. */
const SOME = {
  ways: ["end", "writeHead, end", "write, end", "204"],
  acts: ["update", "login"],
  paths: ["/", "/write"],
  manners: ["rethrows"] as const,
};
const ALL = {
  ways: Object.keys(ways),
  acts: Object.keys(acts),
  paths: ["/", "/read", "/write"],
  manners: ["hides", "rethrows"] as const,
};

function known<T>(record: Record<string, T>, name: string): T {
  const found = record[name];
  if (found === undefined) throw new Error(`There is no ${name}`);
  return found;
}

describe("a session that is used while the head goes out: the response is complete, and each write is stored or refused", () => {
  test.each(cases)("by $place, mounted $mounted ours, on $stack", async (it) => {
    const backend = createBackend();
    const sessions = createSessionManager({ driver: backend.driver });
    // Sometimes the backend waits a moment, sometimes it does not.
    let writes = 0;
    backend.beforeWrite = () =>
      new Promise((resolve) => (writes++ % 2 ? setTimeout(resolve, 3) : resolve(undefined)));
    const place = known(places, it.place);

    let act: (session: Session) => void = () => undefined;
    let manner: "hides" | "rethrows" = "hides";
    let way: Way = { answer: () => undefined, whole: /^$/ };
    /** One call of the middleware in each request. */
    let outcomes: unknown[] = [];
    let refusals: unknown[] = [];
    let wasOut = false;

    const other: Middleware = (req, res, next) => {
      let calls = 0;
      place(res, () => {
        // Our adapter also sets headers during the commit. That is no call by the handler.
        if (!req.session || calls++ > 0) return;
        wasOut = res.headersSent;
        try {
          act(req.session);
          outcomes.push("done");
        } catch (error) {
          outcomes.push(Reflect.get(Object(error), "code"));
          // A middleware mounted after ours passes its error to the stream.
          if (manner === "rethrows" && !(wasOut && it.mounted === "after")) throw error;
        }
      });
      next();
    };
    const handler: Middleware = (req, res, next) => {
      if (req.url === "/read") req.session.store("app").get("n");
      if (req.url === "/write") req.session.store("app").set("m", 1);
      try {
        way.answer(res);
      } catch (error) {
        next(error);
      }
    };
    const ours = sessionMiddleware(sessions) as Middleware;
    const [before, after] = it.mounted === "before" ? [[other], [handler]] : [[], [other, handler]];
    const port = await listen(known(stacks, it.stack)(before, ours, after, (error) => refusals.push(error)));

    const combinations = it.stack === "Connect" ? ALL : SOME;
    for (const wayName of combinations.ways)
      for (const actName of combinations.acts)
        for (const path of combinations.paths)
          for (const kind of ["visitor", "guest"])
            for (const how of combinations.manners) {
              const [given, does] = [known(ways, wayName), known(acts, actName)];
              [way, act, manner, outcomes, refusals, wasOut] = [given, does, how, [], [], false];
              const made = sessions.create();
              const { setCookie: line = "" } = kind === "visitor" ? await made.commit() : {};
              const cookie = line.split(";")[0] ?? "";
              const text = await raw(port, given.method ?? "GET", path, cookie);
              const where = `${wayName}, ${actName}, ${path}, ${kind}, ${how}: ${JSON.stringify([outcomes, text])}`;

              const isRefused = outcomes.includes("ERR_SESSION_HEADERS_SENT");
              expect(outcomes.length, where).toBeLessThan(2);
              // If the application gets the refusal, its error page is the response, unless the head was out.
              if (refusals.length > 0) {
                expect(isRefused && how === "rethrows", where).toBe(true);
                if (!wasOut)
                  expect(text, where).toMatch(given.method ? / 500 .*\r\n\r\n$/s : / 500 .*error page/s);
              } else {
                expect(text, where).toMatch(/^HTTP\/1\.1 (200|204|304) /);
                expect(text, where).toMatch(given.whole);
              }
              expect(text.match(/HTTP\/1\.1/g)?.length, where).toBe(1);

              const sent = /\r\nset-cookie: ((?:__Host-)?sid=[^;]*)/i.exec(text)?.[1];
              const isWritten = outcomes.includes("done") && actName !== "read";
              if (isWritten && kind === "guest") expect(sent, where).toBeDefined();
              if (isWritten && actName === "login") expect(sent, where).toBeDefined();
              if (isWritten || cookie !== "")
                await expect
                  .poll(async () => (await sessions.open(sent ?? cookie)).store("app").get("n"), {
                    interval: 3,
                    message: where,
                  })
                  .toBe(isWritten ? 1 : undefined);
            }
  });
});

describe("over bare node:http, opened in the handler", () => {
  test.each(["before", "after"])("a listener of on-headers that is added %s openSession()", async (when) => {
    const backend = createBackend();
    const sessions = createSessionManager({ driver: backend.driver });
    const port = await listen(async (req, res) => {
      let session: Session | undefined;
      const listen = (): void => onHeaders(res, () => void session?.store("app").set("n", 2));
      if (when === "before") listen();
      session = await openSession(sessions, req, res);
      if (when === "after") listen();
      res.end("body");
    });
    const { setCookie = "" } = await sessions.create().commit();
    const [cookie = ""] = setCookie.split(";");
    expect(await raw(port, "GET", "/", cookie)).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nbody$/s);
    await expect.poll(async () => (await sessions.open(cookie)).store("app").get("n")).toBe(2);
  });
});

/** Responds in several turns of the event loop, so that no handler can catch an error. */
const later = (call: () => void): unknown => setTimeout(call, 2);
const inTurns: Record<string, (res: http.ServerResponse) => unknown> = {
  end: (res) => later(() => res.end("body")),
  "write, end": (res) => later(() => res.write("bo") && later(() => res.end("dy"))),
  "write, write, end": (res) =>
    later(() => res.write("b") && later(() => res.write("od") && later(() => res.end("y")))),
  "write of a part of what is promised, end": (res) =>
    later(() => res.setHeader("Content-Length", 4).write("bo") && later(() => res.end("dy"))),
  "flushHeaders, end": (res) =>
    later(() => {
      res.flushHeaders();
      later(() => res.end("body"));
    }),
  "writeHead, end": (res) => later(() => res.writeHead(200) && later(() => res.end("body"))),
  pipe: (res) =>
    Readable.from(
      (async function* () {
        yield "bo";
        await new Promise(later as never);
        yield "dy";
      })(),
    ).pipe(res),
};

/** Returns the body of a complete response, otherwise `undefined`. */
function bodyOf(text: string): string | undefined {
  const at = text.indexOf("\r\n\r\n");
  const [head, rest] = [text.slice(0, at), text.slice(at + 4)];
  if (!/^transfer-encoding: chunked/im.test(head)) return rest;
  if (!rest.endsWith("0\r\n\r\n")) return undefined;
  return rest
    .split("\r\n")
    .filter((_, index) => index % 2)
    .join("");
}

describe("a middleware mounted before ours that does not catch a refusal: the client gets the whole response", () => {
  const refusals = ["write", "end", "writeHead", "flushHeaders"].flatMap((method) =>
    ["before it calls on", "after it has called on"].flatMap((moment) =>
      ["each time", "once the head is out"].map((often) => ({ method, moment, often })),
    ),
  );

  test.each(refusals)("a wrapper of $method, $moment, $often", async ({ method, moment, often }) => {
    let act = (_session: Session): void => undefined;
    let finish = (_res: http.ServerResponse): unknown => undefined;
    const errors: unknown[] = [];
    const sessions = createSessionManager();
    const app = connect();
    app.use(((req, res, next) => {
      const original: unknown = Reflect.get(res, method);
      const run = (): void => {
        if (req.session && (often === "each time" || res.headersSent)) act(req.session);
      };
      Object.assign(res, {
        [method](...args: unknown[]) {
          if (moment === "before it calls on") run();
          const result: unknown = Reflect.apply(original as () => unknown, res, args);
          if (moment === "after it has called on") run();
          return result;
        },
      });
      next();
    }) as Middleware as never);
    app.use(sessionMiddleware(sessions) as never);
    app.use(((req, res) => {
      if (req.url === "/write") req.session.store("app").set("m", 1);
      finish(res);
    }) as Middleware as never);
    app.use(((error: unknown, _req: unknown, res: http.ServerResponse, _next: Next) =>
      errorPage((told) => errors.push(told), error, res)) as never);
    const port = await listen(app as never);
    for (const [way, given] of Object.entries(inTurns))
      for (const name of ["set", "login"])
        for (const path of ["/", "/write"]) {
          [act, finish] = [known(acts, name), given];
          const text = await raw(port, "GET", path, "");
          const where = `${way}, ${name}, ${path}: ${JSON.stringify(text)}`;
          expect(text, where).toMatch(/^HTTP\/1\.1 200 /);
          expect(bodyOf(text), where).toBe("body");
          expect(errors, where).toEqual([]);
        }
  });
});
