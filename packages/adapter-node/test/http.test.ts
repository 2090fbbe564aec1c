import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isSessionError } from "@sessions/core";
import { describe, expect, test } from "vitest";
import { ask, cookieOf, createBackend, gate, type Handler, servers, stored, visitor } from "./support.ts";

/** A handler that writes `app/n`, and then answers. */
const writing =
  (n: number, finish: Handler): Handler =>
  (visit) => {
    visit.session.store("app").set("n", n);
    return finish(visit);
  };

const big = "x".repeat(300_000);

/** Ways to answer "done" with status 201. */
const FINISHES: Record<string, Handler> = {
  "end(text)": ({ res }) => {
    res.statusCode = 201;
    res.end("done");
  },
  "end(text, encoding, callback)": ({ res }) => {
    res.statusCode = 201;
    res.end("646f6e65", "hex", () => undefined);
  },
  "end(callback)": ({ res }) =>
    new Promise<void>((resolve) => {
      res.statusCode = 201;
      res.write("done");
      res.end(resolve);
    }),
  "writeHead(status), end": ({ res }) => res.writeHead(201).end("done"),
  "writeHead(status, reason, headers), end": ({ res }) =>
    res.writeHead(201, "Created", { "X-Own": "yes" }).end("done"),
  "writeHead(status, headers), write, end": ({ res }) => {
    res.writeHead(201, { "X-Own": "yes" });
    res.write("do");
    res.end("ne");
  },
  "writeHead(status, list), end": ({ res }) => res.writeHead(201, ["X-Own", "yes"]).end("done"),
  "write, end": ({ res }) => {
    res.statusCode = 201;
    res.write("do");
    res.write(Buffer.from("ne"));
    res.end();
  },
  "flushHeaders, end": ({ res }) => {
    res.statusCode = 201;
    res.flushHeaders();
    res.end("done");
  },
  "write with a callback, then end": async ({ res }) => {
    res.statusCode = 201;
    await new Promise<unknown>((resolve) => res.write("do", resolve));
    res.end("ne");
  },
  pipe: ({ res }) => {
    res.statusCode = 201;
    Readable.from(["do", "ne"]).pipe(res);
  },
  "stream.pipeline": ({ res }) => {
    res.statusCode = 201;
    return pipeline(Readable.from(["do", "ne"]), res);
  },
  "stream.pipeline of a generator": ({ res }) => {
    res.statusCode = 201;
    return pipeline(async function* () {
      yield "do";
      yield "ne";
    }, res);
  },
};

for (const [name, start] of Object.entries(servers)) {
  describe(name, () => {
    describe("what a request costs", () => {
      test("without a cookie and without a write: no call, no cookie, no header", async () => {
        const app = await start(({ session, res }) => res.end(`${session.store("app").size}`));
        const answer = await ask(app.port);
        expect(answer.text).toBe("0");
        expect(app.backend.calls).toEqual([]);
        expect(answer.cookies).toEqual([]);
        expect(answer.headers["cache-control"]).toBeUndefined();
      });

      test("a first write: one create and one cookie", async () => {
        const app = await start(writing(2, ({ res }) => res.end()));
        const answer = await ask(app.port);
        expect(app.backend.calls).toEqual(["create"]);
        expect(answer.cookies).toHaveLength(1);
        expect(await stored(app, cookieOf(answer))).toBe(2);
      });

      test("with a cookie: one read", async () => {
        const app = await start(({ session, res }) => res.end(String(session.store("app").get("n"))));
        const answer = await ask(app.port, { headers: { cookie: await visitor(app) } });
        expect(answer.text).toBe("1");
        expect(app.backend.calls).toEqual(["load"]);
        expect(answer.cookies).toEqual([]);
      });

      test("with a cookie and a write: one read, one write, no cookie", async () => {
        const app = await start(writing(2, ({ res }) => res.end()));
        const cookie = await visitor(app);
        const answer = await ask(app.port, { headers: { cookie } });
        expect(app.backend.calls).toEqual(["load", "commit"]);
        expect(answer.cookies).toEqual([]);
        expect(await stored(app, cookie)).toBe(2);
      });

      test("a cookie that nobody made: one read, and a first write replaces it", async () => {
        const app = await start(writing(2, ({ res }) => res.end()));
        const foreign = `sid=${"0".repeat(32)}.${"A".repeat(43)}`;
        const answer = await ask(app.port, { headers: { cookie: foreign } });
        expect(app.backend.calls).toEqual(["load", "create"]);
        expect(cookieOf(answer)).not.toBe(foreign);
      });
    });

    describe("what was written is committed before the response is out, however it is finished", () => {
      test.each(Object.entries(FINISHES))("%s", async (_, finish) => {
        const app = await start(writing(2, finish));
        const log: string[] = [];
        app.backend.beforeWrite = async () => {
          // Long enough for a response that does not wait to arrive first.
          await new Promise((resolve) => setTimeout(resolve, 30));
          log.push("committed");
        };
        const answer = await ask(app.port, { onResponse: () => log.push("response") });
        expect(log).toEqual(["committed", "response"]);
        expect([answer.status, answer.text]).toEqual([201, "done"]);
        expect(await stored(app, cookieOf(answer))).toBe(2);
        expect(app.errors).toEqual([]);
      });

      test.each(Object.entries(FINISHES))(
        "%s: the headers are the same as without a session",
        async (title, finish) => {
          const app = await start(finish);
          const answer = await ask(app.port);
          const bare = http.createServer((req, res) => finish({ req, res, session: {} as never }));
          await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));
          const address = bare.address();
          const expected = await ask(typeof address === "object" && address ? address.port : 0);
          bare.close();
          const relevant = ({ headers }: typeof answer) => ({
            ...headers,
            date: "",
            "x-powered-by": "",
          });
          expect(relevant(answer)).toEqual(relevant(expected));
          expect(title).toBeTruthy();
        },
      );
    });

    test("a redirect that is followed finds what was written, with a slow backend", async () => {
      const app = await start(({ req, res, session }) => {
        if (req.url === "/read") return res.end(String(session.store("app").get("n")));
        session.store("app").set("n", 7);
        return res.writeHead(303, { Location: "/read" }).end();
      });
      app.backend.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, 300));
      const first = await ask(app.port, { method: "POST" });
      expect([first.status, first.headers.location]).toEqual([303, "/read"]);
      const second = await ask(app.port, { path: "/read", headers: { cookie: cookieOf(first) } });
      expect(second.text).toBe("7");
    });

    describe("the cookie", () => {
      test.each<[string, Handler]>([
        ["setHeader", ({ res }) => res.setHeader("Set-Cookie", "own=1").end()],
        ["writeHead", ({ res }) => res.writeHead(200, { "set-cookie": "own=1" }).end()],
        ["writeHead with a list", ({ res }) => res.writeHead(200, ["Set-Cookie", "own=1"]).end()],
        ["writeHead with lists", ({ res }) => res.writeHead(200, { "Set-Cookie": ["own=1"] }).end()],
      ])("joins the application's own, set by %s", async (_, finish) => {
        const app = await start(writing(2, finish));
        const { cookies } = await ask(app.port);
        expect(cookies).toHaveLength(2);
        expect(cookies[0]).toBe("own=1");
        expect(cookies[1]).toMatch(/^sid=.*HttpOnly/);
      });

      test("keeps two of the application's own, given to writeHead as a list", async () => {
        const app = await start(
          writing(2, ({ res }) => res.writeHead(200, ["Set-Cookie", "a=1", "Set-Cookie", "b=2"]).end()),
        );
        const { cookies } = await ask(app.port);
        expect(cookies.slice(0, 2)).toEqual(["a=1", "b=2"]);
        expect(cookies).toHaveLength(3);
      });

      test.each([
        [undefined, "private, no-store"],
        ["public, max-age=60", "private, no-store"],
        ["max-age=60, x-private", "private, no-store"],
        ['ext="a, private, b"', "private, no-store"],
        ["Private, max-age=60", "Private, max-age=60"],
        ["no-store", "no-store"],
      ])("with Cache-Control %j is sent with %j", async (own, sent) => {
        const app = await start(
          writing(2, ({ res }) =>
            res.writeHead(200, own === undefined ? {} : { "Cache-Control": own }).end(),
          ),
        );
        expect((await ask(app.port)).headers["cache-control"]).toBe(sent);
      });

      test("that is not sent leaves Cache-Control alone", async () => {
        const app = await start(
          writing(2, ({ res }) => res.writeHead(200, { "Cache-Control": "public" }).end()),
        );
        const answer = await ask(app.port, { headers: { cookie: await visitor(app) } });
        expect(answer.headers["cache-control"]).toBe("public");
      });

      test("is new after a login, and cleared after a logout", async () => {
        const app = await start(async ({ req, res, session }) => {
          if (req.url === "/in") session.login("ada");
          else await session.logout();
          res.end();
        });
        const before = await visitor(app);
        const login = await ask(app.port, { path: "/in", headers: { cookie: before } });
        expect(cookieOf(login)).not.toBe(before);
        expect(await stored(app, cookieOf(login))).toBe(1);
        const logout = await ask(app.port, { headers: { cookie: cookieOf(login) } });
        expect(logout.cookies[0]).toMatch(/^sid=;.*Max-Age=0/);
      });

      test("is not sent for a session that ended meanwhile, and that is no error", async () => {
        const app = await start(async ({ res, session }) => {
          await app.sessions.destroy(session.id);
          session.store("app").set("n", 2);
          res.end("fine");
        });
        const answer = await ask(app.port, { headers: { cookie: await visitor(app) } });
        expect([answer.status, answer.text, answer.cookies]).toEqual([200, "fine", []]);
        expect(app.errors).toEqual([]);
      });
    });

    describe("a request from another site without a cookie", () => {
      const crossSite = { "Sec-Fetch-Site": "cross-site" };
      const start1 = () => start(writing(2, ({ res }) => res.end("fine")));

      test.each(["POST", "PUT", "DELETE", "PATCH"])(
        "by %s stores nothing and is given no cookie",
        async (method) => {
          const app = await start1();
          const answer = await ask(app.port, { method, headers: crossSite });
          expect([answer.status, answer.cookies, app.backend.calls]).toEqual([200, [], []]);
        },
      );

      test("by GET is a link that somebody followed", async () => {
        const app = await start1();
        expect((await ask(app.port, { headers: crossSite })).cookies).toHaveLength(1);
      });

      test("by GET stores nothing where the cookie is SameSite=Strict", async () => {
        const app = await start(
          writing(2, ({ res }) => res.end()),
          { cookie: { sameSite: "strict" } },
        );
        expect((await ask(app.port, { headers: crossSite })).cookies).toEqual([]);
        expect((await ask(app.port, { headers: { "Sec-Fetch-Site": "same-origin" } })).cookies).toHaveLength(
          1,
        );
      });

      test("that brings our cookie after all is as good as any", async () => {
        const app = await start1();
        const cookie = await visitor(app);
        await ask(app.port, { method: "POST", headers: { ...crossSite, cookie } });
        expect(await stored(app, cookie)).toBe(2);
      });

      test.each(["same-origin", "same-site", "none"])("is not one that says %s", async (site) => {
        const app = await start1();
        const answer = await ask(app.port, { method: "POST", headers: { "Sec-Fetch-Site": site } });
        expect(answer.cookies).toHaveLength(1);
      });
    });

    describe("a backend that is down", () => {
      test("at the read is an error, and no fresh session", async () => {
        let handled = false;
        const app = await start(({ res }) => {
          handled = true;
          res.end();
        });
        const cookie = await visitor(app);
        app.backend.down.add("load");
        const answer = await ask(app.port, { headers: { cookie } });
        expect([answer.status, answer.text, handled]).toEqual([500, "error page", false]);
        expect(answer.cookies).toEqual([]);
        expect(app.errors).toHaveLength(1);
        expect(isSessionError(app.errors[0], "ERR_SESSION_UNAVAILABLE")).toBe(true);
      });

      const text = name === "node:http" ? "Internal Server Error" : "error page";

      test.each(Object.entries(FINISHES))("at the commit takes the response back: %s", async (_, finish) => {
        const app = await start(
          writing(2, (visit) => {
            visit.res.setHeader("X-Handler", "yes");
            visit.res.setHeader("Cache-Control", "public, max-age=3600");
            visit.res.setHeader("Set-Cookie", "welcome=1");
            // What the handler waits for may never come: that is not what this is about.
            Promise.resolve(finish(visit)).catch(() => undefined);
          }),
        );
        app.backend.down.add("create");
        const answer = await ask(app.port);
        expect([answer.status, answer.text]).toEqual([500, text]);
        expect(answer.cookies).toEqual([]);
        expect(answer.headers).not.toHaveProperty("x-handler");
        expect(answer.headers).not.toHaveProperty("x-own");
        expect(answer.headers).not.toHaveProperty("cache-control");
        expect(answer.statusMessage).toBe("Internal Server Error");
        expect(app.errors).toHaveLength(1);
        expect(isSessionError(app.errors[0], "ERR_SESSION_UNAVAILABLE")).toBe(true);
      });

      test("at every commit, that of the error page too, ends in one error page", async () => {
        const app = await start(
          writing(2, ({ res }) => res.end("done")),
          { touchEvery: 0 },
        );
        const cookie = await visitor(app);
        app.backend.down.add("commit");
        const answer = await ask(app.port, { headers: { cookie } });
        expect([answer.status, answer.text, answer.cookies]).toEqual([500, text, []]);
        expect(app.errors).toHaveLength(1);
      });

      test("when the headers are out cuts the connection: no client takes it for the whole", async () => {
        const app = await start(async ({ res, session }) => {
          res.write("first half ");
          await written.opened;
          session.store("app").set("n", 2);
          res.end("second half");
        });
        const written = gate();
        const cookie = await visitor(app);
        app.backend.down.add("commit");
        let came = "";
        const answer = ask(app.port, {
          headers: { cookie },
          onData: (soFar) => {
            came = soFar;
            written.open();
          },
        });
        await expect(answer).rejects.toThrow(/aborted|socket hang up|ECONNRESET/);
        expect(came).toBe("first half ");
        expect(app.errors).toHaveLength(1);
        app.backend.down.clear();
        expect(await stored(app, cookie)).toBe(1);
      });

      test("for a moment: the next request works again", async () => {
        const app = await start(writing(2, ({ res }) => res.end("done")));
        const cookie = await visitor(app);
        app.backend.down.add("commit");
        expect((await ask(app.port, { headers: { cookie } })).status).toBe(500);
        app.backend.down.clear();
        expect((await ask(app.port, { headers: { cookie } })).status).toBe(200);
        expect(await stored(app, cookie)).toBe(2);
      });

      test("and a handler that goes on writing: its late chunks go nowhere", async () => {
        const late = gate();
        const finished = gate();
        const app = await start(async ({ res, session }) => {
          session.store("app").set("n", 2);
          res.write("a chunk");
          await late.opened;
          res.write("a late chunk");
          res.end("and its end");
          res.end("twice");
          finished.open();
        });
        app.backend.down.add("create");
        const answer = await ask(app.port);
        late.open();
        await finished.opened;
        expect(answer.text).toBe(text);
        expect((await ask(app.port, { method: "HEAD" })).status).toBe(500);
      });

      test("stops what was piped into the response", async () => {
        const source = Readable.from([big, big, big]);
        const app = await start(writing(2, ({ res }) => source.pipe(res)));
        app.backend.down.add("create");
        expect((await ask(app.port)).text).toBe(text);
      });
    });

    describe("a streamed response", () => {
      test("is complete only when what was written midway is committed", async () => {
        const halfway = gate();
        const app = await start(async ({ res, session }) => {
          session.store("app").set("n", 2);
          res.write("first ");
          await halfway.opened;
          session.store("app").set("n", 3);
          res.end("second");
        });
        app.backend.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, 20));
        const answer = await ask(app.port, { onData: halfway.open });
        expect(answer.text).toBe("first second");
        expect(await stored(app, cookieOf(answer))).toBe(3);
        expect(app.backend.calls.slice(0, 2)).toEqual(["create", "commit"]);
      });

      test("of a length that is known is not whole in any client's hands before that", async () => {
        const halfway = gate();
        const app = await start(async ({ res, session }) => {
          res.writeHead(200, { "Content-Length": 12 });
          res.write("first ");
          await halfway.opened;
          session.store("app").set("n", 3);
          res.write("second");
          // Never ended: the client has all it was told of.
        });
        const cookie = await visitor(app);
        app.backend.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, 20));
        const answer = await ask(app.port, { headers: { cookie }, onData: halfway.open });
        expect(answer.text).toBe("first second");
        expect(await stored(app, cookie)).toBe(3);
      });

      test("refuses a first write when the headers are out, at the call", async () => {
        const halfway = gate();
        let thrown: unknown;
        const app = await start(async ({ res, session }) => {
          res.write("first ");
          await halfway.opened;
          try {
            session.store("app").set("n", 2);
          } catch (error) {
            thrown = error;
          }
          res.end("second");
        });
        const answer = await ask(app.port, { onData: halfway.open });
        expect(answer.text).toBe("first second");
        expect(isSessionError(thrown, "ERR_SESSION_HEADERS_SENT")).toBe(true);
        expect(app.backend.calls).toEqual([]);
      });

      test("says when it is full, and when it goes on", async () => {
        const app = await start(async ({ res, session }) => {
          session.store("app").set("n", 2);
          expect(res.write("a")).toBe(false);
          await new Promise((resolve) => res.once("drain", resolve));
          for (let i = 0; i < 20; i++)
            if (!res.write(big)) await new Promise((resolve) => res.once("drain", resolve));
          res.end();
        });
        expect((await ask(app.port)).body.length).toBe(20 * big.length + 1);
      });

      test("that is large arrives whole, in order", async () => {
        const parts = Array.from({ length: 50 }, (_, i) => String(i % 10).repeat(50_000));
        const app = await start(writing(2, ({ res }) => pipeline(Readable.from(parts), res)));
        expect((await ask(app.port)).text).toBe(parts.join(""));
      });
    });

    describe("what is written after res.end()", () => {
      test("to a session that the client has is committed with the response", async () => {
        const app = await start(({ res, session }) => {
          res.end();
          session.store("app").set("n", 5);
        });
        const cookie = await visitor(app);
        await ask(app.port, { headers: { cookie } });
        expect(await stored(app, cookie)).toBe(5);
      });

      test("to a session that the client lacks throws at the call", async () => {
        let thrown: unknown;
        const app = await start(({ res, session }) => {
          res.end();
          try {
            session.store("app").set("n", 5);
          } catch (error) {
            thrown = error;
          }
        });
        await ask(app.port);
        expect(isSessionError(thrown, "ERR_SESSION_HEADERS_SENT")).toBe(true);
      });
    });

    describe("to the handler a response that waits for its commit was sent", () => {
      test("headersSent and writableEnded say so, and headers can no longer be set", async () => {
        const seen: unknown[] = [];
        const app = await start(({ res }) => {
          seen.push(res.headersSent, res.writableEnded);
          res.write("a");
          seen.push(res.headersSent, res.writableEnded);
          for (const change of [
            () => res.setHeader("X-Late", "1"),
            () => res.appendHeader("X-Late", "1"),
            () => res.removeHeader("Date"),
            () => res.writeHead(500),
          ]) {
            try {
              change();
              seen.push("allowed");
            } catch (error) {
              seen.push((error as NodeJS.ErrnoException).code);
            }
          }
          res.statusCode = 500;
          res.end("b");
          seen.push(res.writableEnded);
        });
        const answer = await ask(app.port);
        const refused = "ERR_HTTP_HEADERS_SENT";
        expect(seen).toEqual([false, false, true, false, refused, refused, refused, refused, true]);
        expect([answer.status, answer.text, answer.headers["x-late"]]).toEqual([200, "ab", undefined]);
      });

      test("a second end() changes nothing", async () => {
        const app = await start(
          writing(2, ({ res }) => {
            res.end("once");
            res.end();
          }),
        );
        expect((await ask(app.port)).text).toBe("once");
      });
    });

    describe("responses without a body", () => {
      test("HEAD", async () => {
        const app = await start(writing(2, ({ res }) => res.setHeader("Content-Length", 4).end("done")));
        const answer = await ask(app.port, { method: "HEAD" });
        expect([answer.text, answer.headers["content-length"]]).toEqual(["", "4"]);
        expect(await stored(app, cookieOf(answer))).toBe(2);
      });

      test.each([204, 304])("%d", async (status) => {
        const app = await start(writing(2, ({ res }) => res.writeHead(status).end()));
        const answer = await ask(app.port);
        expect([answer.status, answer.text]).toEqual([status, ""]);
        expect(answer.headers).not.toHaveProperty("transfer-encoding");
        expect(await stored(app, cookieOf(answer))).toBe(2);
      });
    });

    test("informational responses do not wait", async () => {
      const app = await start(async ({ res, session }) => {
        session.store("app").set("n", 2);
        res.writeProcessing();
        res.writeEarlyHints({ link: "</a.css>; rel=preload" });
        res.end("done");
      });
      const answer = await ask(app.port);
      expect(answer.informational).toEqual([102, 103]);
      expect([answer.text, answer.cookies.length]).toEqual(["done", 1]);
    });

    test("trailers arrive", async () => {
      const app = await start(
        writing(2, ({ res }) => {
          res.writeHead(200, { Trailer: "X-Sum" });
          res.write("done");
          res.addTrailers({ "X-Sum": "42" });
          res.end();
        }),
      );
      expect((await ask(app.port)).trailers).toEqual({ "x-sum": "42" });
    });

    describe("one connection", () => {
      test("that is kept alive carries one session after another", async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const app = await start(({ req, res, session }) => {
          session.store("app").update("n", (n) => Number(n ?? 0) + 1);
          res.end(`${session.store("app").get("n")} ${req.socket.remotePort}`);
        });
        const first = await ask(app.port, { agent });
        const second = await ask(app.port, { agent, headers: { cookie: cookieOf(first) } });
        const third = await ask(app.port, { agent });
        agent.destroy();
        const [one, port] = first.text.split(" ");
        expect([one, second.text, third.text]).toEqual(["1", `2 ${port}`, `1 ${port}`]);
      });

      test("with pipelined requests answers them in order, whichever commit is faster", async () => {
        const app = await start(({ req, res, session }) => {
          session.store("app").set("n", req.url ?? "");
          res.end(`[${req.url}]`);
        });
        const slow = gate();
        let writes = 0;
        app.backend.beforeWrite = async () => {
          if (writes++ === 0) await slow.opened;
          else slow.open();
        };
        const raw = await exchange(
          app.port,
          "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        );
        expect(raw.match(/\[.*?\]/g)).toEqual(["[/1]", "[/2]"]);
        expect(raw.match(/Set-Cookie: sid=/g)).toHaveLength(2);
      });
    });

    describe("a client that goes away", () => {
      test("while the commit runs: it is committed, and nothing else happens", async () => {
        const reached = gate();
        const goOn = gate();
        const closed = gate();
        const app = await start(
          writing(2, ({ res }) => {
            res.once("close", closed.open);
            res.end("done");
          }),
        );
        const cookie = await visitor(app);
        app.backend.beforeWrite = () => {
          reached.open();
          return goOn.opened;
        };
        const req = http.get({ port: app.port, host: "127.0.0.1", headers: { cookie }, agent: false });
        req.on("error", () => undefined);
        await reached.opened;
        req.destroy();
        await closed.opened;
        goOn.open();
        await expect.poll(() => stored(app, cookie)).toBe(2);
        expect(app.errors).toEqual([]);
        expect((await ask(app.port)).text).toBe("done");
      });

      test("before the handler answers: it is committed when the handler does", async () => {
        const closed = gate();
        const app = await start(async ({ res, session }) => {
          res.once("close", closed.open);
          session.store("app").set("n", 2);
          client?.destroy();
          await closed.opened;
          res.end("to nobody");
        });
        const cookie = await visitor(app);
        const client = http.get({ port: app.port, host: "127.0.0.1", headers: { cookie }, agent: false });
        client.on("error", () => undefined);
        await expect.poll(() => stored(app, cookie)).toBe(2);
        expect(app.errors).toEqual([]);
      });

      test("before a commit that fails: the error arrives, and nothing hangs", async () => {
        const closed = gate();
        const app = await start(async ({ res, session }) => {
          res.once("close", closed.open);
          session.store("app").set("n", 2);
          client?.destroy();
          await closed.opened;
          res.end("to nobody");
        });
        app.backend.down.add("create");
        const client = http.get({ port: app.port, host: "127.0.0.1", agent: false });
        client.on("error", () => undefined);
        await expect.poll(() => app.errors.length).toBe(1);
      });
    });

    test("requests of one visitor that overlap lose nothing", async () => {
      const app = await start(
        ({ res, session }) => {
          session.store("app").update("n", (n) => Number(n) + 1);
          res.end();
        },
        { backend: createBackend() },
      );
      const cookie = await visitor(app);
      await Promise.all(Array.from({ length: 20 }, () => ask(app.port, { headers: { cookie } })));
      expect(await stored(app, cookie)).toBe(21);
    });
  });
}

/** Sends bytes, and answers all that came until the server closed. */
async function exchange(port: number, text: string): Promise<string> {
  const { connect } = await import("node:net");
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  let all = "";
  for await (const chunk of socket) all += String(chunk);
  return all;
}
