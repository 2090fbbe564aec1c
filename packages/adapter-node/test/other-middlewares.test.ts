import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGunzip, gunzipSync } from "node:zlib";
import { createSessionManager } from "@sessions/core";
import compression from "compression";
import express5 from "express";
import express4 from "express4";
import responseTime from "response-time";
import { describe, expect, onTestFinished, test } from "vitest";
import { sessionMiddleware } from "../src/index.ts";
import { ask, createBackend, listen } from "./support.ts";

const create = () => {
  const backend = createBackend();
  return { backend, sessions: createSessionManager({ driver: backend.driver }) };
};
const text = "a text that is worth compressing, ".repeat(200);
// Its types are for Express 5; it works with any `(req, res, next)`.
const squeeze = () => compression() as unknown as express4.RequestHandler;
const gzip = { "Accept-Encoding": "gzip" };

describe.each([
  // Both have the same methods here; the types of version 4 serve for 5 too.
  ["Express 4", express4],
  ["Express 5", express5 as unknown as typeof express4],
])("%s", (_, express) => {
  /** Express's own error handling sends the page, and does not log. */
  const app = (): express4.Express => express().set("env", "test");

  test.each(["before", "after"])("compression mounted %s", async (order) => {
    const { sessions } = create();
    const server = app();
    if (order === "before") server.use(squeeze());
    server.use(sessionMiddleware(sessions));
    if (order === "after") server.use(squeeze());
    server.use((req, res) => {
      req.session.store("app").set("n", 2);
      res.type("text");
      if (req.url === "/whole") return void res.send(text);
      res.write(text);
      res.write(text);
      return void res.end(text);
    });
    const port = await listen(server);
    const whole = await ask(port, { path: "/whole", headers: gzip });
    const parts = await ask(port, { path: "/parts", headers: gzip });
    expect([whole.headers["content-encoding"], whole.cookies.length]).toEqual(["gzip", 1]);
    expect(gunzipSync(whole.body).toString()).toBe(text);
    expect([parts.headers["content-encoding"], parts.cookies.length]).toEqual(["gzip", 1]);
    expect(gunzipSync(parts.body).toString()).toBe(text.repeat(3));
  });

  test.each(["before", "after"])("compression mounted %s, and a commit that fails", async (order) => {
    const { sessions, backend } = create();
    backend.down.add("create");
    const server = app();
    if (order === "before") server.use(squeeze());
    server.use(sessionMiddleware(sessions));
    if (order === "after") server.use(squeeze());
    server.use((req, res) => {
      req.session.store("app").set("n", 2);
      res.type("text").send(text);
    });
    server.use((_error: unknown, _req: unknown, res: express4.Response, _next: unknown) => {
      res.status(500).type("text").send("sorry");
    });
    const answer = await ask(await listen(server), { headers: gzip });
    expect([answer.status, answer.text]).toEqual([500, "sorry"]);
  });

  test("files of every size through compression mounted before, which keeps the drain events to itself", async () => {
    const { sessions } = create();
    const folder = mkdtempSync(join(tmpdir(), "sessions-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const server = app().use(squeeze(), sessionMiddleware(sessions));
    server.use((req, _res, next) => {
      if (req.query["write"] !== undefined) req.session.store("app").set("n", 2);
      next();
    }, express.static(folder));
    const port = await listen(server);
    for (const size of [500, 3000, 15_000, 50_000, 200_000]) {
      writeFileSync(join(folder, `${size}.txt`), "x".repeat(size));
      for (const query of ["", "?write"]) {
        const { body, headers } = await ask(port, { path: `/${size}.txt${query}`, headers: gzip });
        const plain = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
        expect([size, query, plain.length]).toEqual([size, query, size]);
      }
    }
  });

  test("an event that is flushed through compression mounted before comes at once", async () => {
    const { sessions } = create();
    const server = app().use(squeeze(), sessionMiddleware(sessions));
    let finish = (): void => {};
    server.use((req, res) => {
      req.session.store("app").set("n", 2);
      res.type("text");
      res.write("first");
      // Compression adds it.
      Reflect.apply(Reflect.get(res, "flush"), res, []);
      finish = () => res.end(" second");
    });
    const port = await listen(server);
    const [response] = await once(http.get({ host: "127.0.0.1", port, headers: gzip }), "response");
    let heard = "";
    for await (const chunk of (response as http.IncomingMessage).pipe(createGunzip())) {
      heard += String(chunk);
      // The response continues only after its first part has arrived.
      finish();
    }
    expect(heard).toBe("first second");
  });

  test("compression that reads Node's private fields", async () => {
    const { sessions } = create();
    const server = app().use(sessionMiddleware(sessions));
    server.use((_req, res, next) => {
      const { write } = res;
      // Compression before 1.8 did this: `_header` stays empty while the headers are held back.
      res.write = (...args: unknown[]) => {
        if (Reflect.get(res, "_header") === null) Reflect.get(res, "_implicitHeader").call(res);
        return Reflect.apply(write, res, args);
      };
      next();
    });
    server.use((req, res) => {
      req.session.store("app").set("n", 2);
      res.write("a");
      res.write("b");
      res.end("c");
    });
    expect((await ask(await listen(server))).text).toBe("abc");
  });

  test.each(["before", "after"])(
    "response-time, which adds a header as the headers go out, mounted %s",
    async (order) => {
      const { sessions } = create();
      const server = app();
      if (order === "before") server.use(responseTime());
      server.use(sessionMiddleware(sessions));
      if (order === "after") server.use(responseTime());
      server.use((req, res) => {
        req.session.store("app").set("n", 2);
        res.send("done");
      });
      const answer = await ask(await listen(server));
      expect(answer.headers["x-response-time"]).toMatch(/ms$/);
      expect(answer.cookies).toHaveLength(1);
    },
  );

  test("nested applications and routers share the request's session", async () => {
    const { sessions } = create();
    const inner = app().use((req, res) => res.send(String(req.session.store("app").get("n"))));
    const router = express.Router().use((req, _res, next) => {
      req.session.store("app").set("n", 2);
      next();
    });
    const server = app().use(sessionMiddleware(sessions)).use("/a", router).use("/a", inner);
    expect((await ask(await listen(server), { path: "/a/b" })).text).toBe("2");
  });
});
