import http from "node:http";
import { describe, expect, test } from "vitest";
import { FINISHES, writing } from "./finishes.ts";
import { ask, cookieOf, type Handler, servers, stored, visitor } from "./support.ts";

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

      test("an unknown cookie: one read, and a first write replaces it", async () => {
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

      test("comes with the headers of a list given to writeHead, which replace earlier ones", async () => {
        const app = await start(
          writing(2, ({ res }) => res.setHeader("X-Own", "old").writeHead(200, ["X-Own", "new"]).end()),
        );
        expect((await ask(app.port)).headers["x-own"]).toBe("new");
      });

      test("comes with the other forms that writeHead accepts: no headers, and pairs", async () => {
        const bare = await start(
          writing(2, ({ res }) => Reflect.apply(res.writeHead, res, [201, null]).end()),
        );
        expect([(await ask(bare.port)).status, (await ask(bare.port)).cookies.length]).toEqual([201, 1]);
        const pairs = [
          ["X-Own", "yes"],
          ["Set-Cookie", "own=1"],
        ];
        const app = await start(
          writing(2, ({ res }) => Reflect.apply(res.writeHead, res, [200, pairs]).end()),
        );
        const { headers, cookies } = await ask(app.port);
        expect([headers["x-own"], cookies.length]).toEqual(["yes", 2]);
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
  });
}
