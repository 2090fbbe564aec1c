import http from "node:http";
import { describe, expect, test } from "vitest";
import { writing } from "./finishes.ts";
import { ask, cookieOf, createBackend, exchange, gate, servers, stored, visitor } from "./support.ts";

for (const [name, start] of Object.entries(servers)) {
  describe(name, () => {
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

      test("with pipelined requests keeps the order of the responses, whichever commit is faster", async () => {
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

    describe("a client that disconnects", () => {
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

      test("before the handler ends the response: the commit comes when it does", async () => {
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
