import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSessionManager } from "@sessions/core";
import express5 from "express";
import express4 from "express4";
import { describe, expect, onTestFinished, test } from "vitest";
import { sessionMiddleware } from "../src/index.ts";
import { ask, cookieOf, createBackend, gate, listen } from "./support.ts";

const create = () => {
  const backend = createBackend();
  return { backend, sessions: createSessionManager({ driver: backend.driver }) };
};
const text = "a text that is worth compressing, ".repeat(200);

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "sessions-"));
  onTestFinished(() => rm(path, { recursive: true }));
  await writeFile(join(path, "a.txt"), text);
  return path;
}

describe.each([
  // Both have the same methods here; the types of version 4 serve for 5 too.
  ["Express 4", express4],
  ["Express 5", express5 as unknown as typeof express4],
])("%s", (_, express) => {
  /** Express's own error handling sends the page, and does not log. */
  const app = (): express4.Express => express().set("env", "test");

  describe("responses that Express itself makes", () => {
    test.each<[string, number, (res: express4.Response) => unknown]>([
      ["res.send", 200, (res) => res.send("text")],
      ["res.json", 200, (res) => res.json({})],
      ["res.redirect", 302, (res) => res.redirect("/")],
      ["res.sendStatus", 418, (res) => res.sendStatus(418)],
    ])("%s carries the cookie of a session that is stored", async (_, status, finish) => {
      const { sessions, backend } = create();
      const server = app().use(sessionMiddleware(sessions));
      server.use((req, res) => {
        req.session.store("app").set("n", 2);
        finish(res);
      });
      const answer = await ask(await listen(server));
      expect([answer.status, backend.calls]).toEqual([status, ["create"]]);
      expect((await sessions.open(cookieOf(answer))).store("app").get("n")).toBe(2);
    });

    test.each(["sendFile", "download"] as const)("res.%s too, and its callback is called", async (method) => {
      const { sessions } = create();
      const root = await folder();
      const sent = gate();
      const server = app().use(sessionMiddleware(sessions));
      server.use((req, res) => {
        req.session.store("app").set("n", 2);
        res[method](join(root, "a.txt"), () => sent.open());
      });
      const answer = await ask(await listen(server));
      await sent.opened;
      expect([answer.text, answer.cookies.length]).toEqual([text, 1]);
      expect(answer.headers["content-length"]).toBe(String(text.length));
      expect(answer.headers["cache-control"]).toBe("private, no-store");
    });

    test("a file whose session cannot be stored is not sent", async () => {
      const { sessions, backend } = create();
      backend.down.add("create");
      const root = await folder();
      const server = app().use(sessionMiddleware(sessions));
      server.use((req, res) => {
        req.session.store("app").set("n", 2);
        res.sendFile(join(root, "a.txt"));
      });
      const answer = await ask(await listen(server));
      expect(answer.status).toBe(503);
      expect(answer.text).not.toContain(text);
      for (const header of ["etag", "last-modified", "accept-ranges", "cache-control"])
        expect(answer.headers).not.toHaveProperty(header);
    });

    test("express.static costs no write, ranges and conditional requests included", async () => {
      const { sessions, backend } = create();
      const server = app()
        .use(sessionMiddleware(sessions))
        .use(express.static(await folder()));
      const port = await listen(server);
      const whole = await ask(port, { path: "/a.txt" });
      const part = await ask(port, { path: "/a.txt", headers: { Range: "bytes=2-5" } });
      const same = await ask(port, {
        path: "/a.txt",
        headers: { "If-None-Match": whole.headers.etag ?? "" },
      });
      expect([whole.text, part.status, part.text, same.status]).toEqual([text, 206, "text", 304]);
      expect(backend.calls).toEqual([]);
      expect(whole.headers["cache-control"]).toBe("public, max-age=0");
    });

    test("404 commits too", async () => {
      const { sessions } = create();
      const server = app().use(sessionMiddleware(sessions));
      server.use((req, _res, next) => {
        req.session.store("app").set("n", 2);
        next();
      });
      const answer = await ask(await listen(server));
      expect([answer.status, answer.cookies.length]).toEqual([404, 1]);
    });
  });

  describe("its error handling", () => {
    test("sends the page for a handler that throws, and commits what it wrote", async () => {
      const { sessions } = create();
      const server = app().use(sessionMiddleware(sessions));
      server.use((req) => {
        req.session.store("app").set("n", 2);
        throw new Error("of the handler");
      });
      const answer = await ask(await listen(server));
      expect([answer.status, answer.cookies.length]).toEqual([500, 1]);
    });

    test("cuts the connection of a handler that throws after it wrote", async () => {
      const { sessions } = create();
      const server = app().use(sessionMiddleware(sessions));
      server.use((_req, res) => {
        res.write("half a response");
        throw new Error("of the handler");
      });
      await expect(ask(await listen(server))).rejects.toThrow(/socket hang up|aborted|ECONNRESET/);
    });

    test("gets a failed commit, with the response as the middleware found it", async () => {
      const { sessions, backend } = create();
      backend.down.add("create");
      const server = app();
      server.use((_req, res, next) => {
        res.setHeader("X-Before", "kept");
        res.setHeader("Set-Cookie", ["before=1"]);
        next();
      });
      server.use(sessionMiddleware(sessions));
      server.use((req, res) => {
        req.session.store("app").set("n", 2);
        res.appendHeader("Set-Cookie", "welcome=1");
        res.setHeader("X-Before", "changed");
        res.statusMessage = "Splendid";
        res.redirect("/welcome");
      });
      const answer = await ask(await listen(server));
      expect([answer.status, answer.statusMessage]).toEqual([503, "Service Unavailable"]);
      expect(answer.headers).not.toHaveProperty("location");
      expect(answer.headers["x-before"]).toBe("kept");
      expect(answer.cookies).toEqual(["before=1"]);
    });

    test("that redirects with a flash message which cannot be stored either is a plain 500", async () => {
      const { sessions, backend } = create();
      backend.down.add("create").add("commit");
      const server = app().use(sessionMiddleware(sessions));
      server.use((req, res) => {
        req.session.store("app").set("n", 2);
        res.send("done");
      });
      server.use((_error: unknown, req: express4.Request, res: express4.Response, _next: unknown) => {
        req.session.store("flash").set("text", "try again");
        res.redirect("/");
      });
      const answer = await ask(await listen(server));
      expect([answer.status, answer.text]).toEqual([500, "Internal Server Error"]);
      expect(answer.headers).not.toHaveProperty("location");
      expect(answer.cookies).toEqual([]);
    });

    test("that forgets the status does not send 200", async () => {
      const { sessions, backend } = create();
      backend.down.add("create");
      const server = app().use(sessionMiddleware(sessions));
      server.use((req, res) => {
        req.session.store("app").set("n", 2);
        res.status(201).send("done");
      });
      server.use((_error: unknown, _req: unknown, res: express4.Response, _next: unknown) => {
        res.send("sorry");
      });
      const answer = await ask(await listen(server));
      expect([answer.status, answer.text]).toEqual([500, "sorry"]);
    });

    test("reports a second response of one handler as without sessions, and does not mix it with the first", async () => {
      const { sessions } = create();
      const server = app().use(sessionMiddleware(sessions));
      let code: unknown;
      server.use((_req, res) => {
        res.send("first");
        try {
          res.send("a second that is longer");
        } catch (error) {
          code = (error as NodeJS.ErrnoException).code;
        }
      });
      expect((await ask(await listen(server))).text).toBe("first");
      expect(code).toBe("ERR_HTTP_HEADERS_SENT");
    });

    test("gets an invalid status that only Node notices", async () => {
      const { sessions } = create();
      const server = app().use(sessionMiddleware(sessions));
      server.use((_req, res) => {
        res.statusCode = 9999;
        res.end("done");
      });
      expect((await ask(await listen(server))).status).toBe(500);
    });
  });

  test("a Secure cookie is sent behind a proxy that ends TLS, with trust proxy and without", async () => {
    for (const trusting of [true, false])
      for (const proto of ["http", "https"]) {
        const server = app().set("trust proxy", trusting);
        server.use(sessionMiddleware(createSessionManager({ cookie: { secure: true } })));
        server.use((req, res) => {
          req.session.store("app").set("n", 2);
          res.end();
        });
        const { cookies } = await ask(await listen(server), { headers: { "X-Forwarded-Proto": proto } });
        expect([trusting, proto, /; Secure/.test(String(cookies))]).toEqual([trusting, proto, true]);
      }
  });

  test("upgrade requests are not touched", async () => {
    const { sessions } = create();
    const server = http.createServer(app().use(sessionMiddleware(sessions)));
    server.on("upgrade", async (req, socket) => {
      const session = await sessions.open(req.headers.cookie);
      socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${session.store("app").get("n")}`);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const made = sessions.create();
    made.store("app").set("n", 2);
    const { setCookie = "" } = await made.commit();
    const address = server.address();
    const socket = net.connect(typeof address === "object" && address ? address.port : 0, "127.0.0.1");
    socket.write(
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\nCookie: ${cookieOf({ cookies: [setCookie] })}\r\n\r\n`,
    );
    let all = "";
    for await (const chunk of socket) all += String(chunk);
    expect(all.endsWith("\r\n\r\n2")).toBe(true);
  });
});
