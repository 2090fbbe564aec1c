import assert from "node:assert/strict";
import { cookieAfter, cookieOf } from "../client.ts";
import { type Case, gate, longEnough, writing } from "../kit.ts";
import type { Handler } from "../target.ts";

/** Shows `app/n` on GET, and increments it on every other method. */
const counting: Handler = ({ session, method }) => {
  const app = session.store<{ n: number }>("app");
  if (method !== "GET") app.update("n", (n = 0) => n + 1);
  return { body: String(app.get("n")) };
};

/** Writes `app/n` twice, with a pause between. */
const writingTwice: Handler = async ({ session }) => {
  const app = session.store<{ n: number }>("app");
  app.update("n", (n = 0) => n + 1);
  // An adapter that commits each write does so here.
  await longEnough();
  app.update("n", (n = 0) => n + 1);
  return { status: 201, body: String(app.get("n")) };
};

/** Requests and commits. */
export const REQUESTS: readonly Case[] = [
  {
    rule: "H2.1",
    title:
      "a request without a cookie that writes nothing causes no call to the backend, no cookie and no Cache-Control",
    async run({ serve }) {
      const app = await serve(() => ({ body: "hello" }));
      const answer = await app.ask();
      assert.deepEqual([answer.status, answer.text, answer.cookies], [200, "hello", []]);
      assert.equal(answer.headers["cache-control"], undefined);
      assert.deepEqual(app.backend.calls, []);
    },
  },
  {
    rule: "H8.1",
    title: "a first write causes one create, and sends one cookie",
    async run({ serve }) {
      const app = await serve(writingTwice);
      const answer = await app.ask();
      assert.deepEqual([answer.status, answer.text, answer.cookies.length], [201, "2", 1]);
      assert.deepEqual(app.backend.calls, ["create"]);
      assert.equal(await app.stored(cookieOf(answer)), 2);
    },
  },
  {
    rule: "H8.2",
    title: "a request with a cookie that writes nothing causes one read, no write and no cookie",
    async run({ serve }) {
      const app = await serve(counting);
      const answer = await app.ask({ headers: { cookie: await app.visitor() } });
      assert.deepEqual([answer.text, answer.cookies], ["1", []]);
      assert.deepEqual(app.backend.calls, ["load"]);
    },
  },
  {
    rule: "H8.3",
    title: "a request with a cookie that writes causes one read, one write and no cookie",
    async run({ serve }) {
      const app = await serve(writingTwice);
      const cookie = await app.visitor();
      const answer = await app.ask({ method: "POST", headers: { cookie } });
      assert.deepEqual([answer.text, answer.cookies], ["3", []]);
      assert.deepEqual(app.backend.calls, ["load", "commit"]);
      assert.equal(await app.stored(cookie), 3);
    },
  },
  {
    rule: "H1.1",
    title: "a response, headers included, waits for a slow commit",
    async run({ serve }) {
      const log: string[] = [];
      const app = await serve(writing(2));
      const visitor = await app.visitor();
      app.backend.beforeWrite = async () => {
        await longEnough();
        log.push("committed");
      };
      for (const cookie of ["", visitor]) {
        log.length = 0;
        await app.ask({ headers: { cookie }, onResponse: () => log.push("response") });
        assert.deepEqual([log[0], log.at(-1)], ["committed", "response"]);
      }
    },
  },
  {
    rule: "H1.2",
    title: "a client that follows a redirect finds what was written, however slow the backend is",
    async run({ serve }) {
      const app = await serve((visit) =>
        visit.url === "/read" ? counting(visit) : writing(7, { redirect: "/read" })(visit),
      );
      const visitor = await app.visitor();
      app.backend.beforeWrite = longEnough;
      for (const cookie of ["", visitor]) {
        const first = await app.ask({ method: "POST", headers: { cookie } });
        assert.equal(first.status, 303);
        assert.match(String(first.headers["location"]), /\/read$/);
        const second = await app.ask({ path: "/read", headers: { cookie: cookieAfter(cookie, first) } });
        assert.equal(second.text, "7");
      }
    },
  },
  ...[204, 304].map(
    (status, index): Case => ({
      rule: `H7.${index + 1}`,
      title: `a response with status ${status} has its cookie, its own headers and no body`,
      async run({ serve }) {
        const app = await serve(writing(2, { status, headers: { ETag: '"1"' } }));
        const answer = await app.ask();
        assert.deepEqual([answer.status, answer.text, answer.headers["etag"]], [status, "", '"1"']);
        assert.equal(await app.stored(cookieOf(answer)), 2);
      },
    }),
  ),
  {
    rule: "H7.3",
    title: "a response to HEAD has its cookie and no body",
    async run({ serve }) {
      const app = await serve(writing(2));
      const answer = await app.ask({ method: "HEAD" });
      assert.deepEqual([answer.status, answer.text], [200, ""]);
      assert.equal(await app.stored(cookieOf(answer)), 2);
      const cookie = await app.visitor();
      const known = await app.ask({ method: "HEAD", headers: { cookie } });
      assert.equal(known.status, 200);
      assert.equal(await app.stored(cookieAfter(cookie, known)), 2);
    },
  },
  {
    rule: "H1.3",
    title:
      "overlapping requests of one visitor lose no write, whether they write different keys or update one counter",
    async run({ serve }) {
      const all = gate();
      let waiting = 0;
      const app = await serve(async ({ session, url }) => {
        // Wait until every request has read before any of them writes.
        if (++waiting === 8) all.open();
        await all.opened;
        session.store<Record<string, string>>("app").set(url.slice(1), "kept");
        session.store<{ n: number }>("app").update("n", (n = 0) => n + 1);
        return { body: "done" };
      });
      const cookie = await app.visitor();
      const paths = Array.from({ length: 8 }, (_, index) => `/key${index}`);
      const answers = await Promise.all(paths.map((path) => app.ask({ path, headers: { cookie } })));
      assert.deepEqual(
        answers.map(({ status }) => status),
        paths.map(() => 200),
      );
      const last = answers.reduce(cookieAfter, cookie);
      const kept = await Promise.all(paths.map((path) => app.stored(last, path.slice(1))));
      assert.deepEqual([await app.stored(last), kept], [9, paths.map(() => "kept")]);
    },
  },
  {
    rule: "H12.1",
    title: "one keep-alive connection serves several sessions and mixes none",
    async run({ serve }) {
      const app = await serve(counting);
      const line = app.connect();
      const first = cookieOf(await line.ask({ method: "POST" }));
      const second = cookieOf(await line.ask({ method: "POST" }));
      assert.notEqual(first, second);
      const again = cookieAfter(first, await line.ask({ method: "POST", headers: { cookie: first } }));
      assert.equal((await line.ask({ headers: { cookie: second } })).text, "1");
      assert.equal((await line.ask({ headers: { cookie: again } })).text, "2");
      assert.equal((await line.ask()).text, "undefined");
    },
  },
  {
    rule: "H12.5",
    title: "overlapping requests with one cookie have a session each, and do not see what another has staged",
    async run({ serve }) {
      const staged = gate();
      const seen = gate();
      const app = await serve(async (visit) => {
        if (visit.url === "/see") return counting(visit);
        visit.session.store("app").set("n", 2);
        staged.open();
        await seen.opened;
        return { body: "done" };
      });
      const cookie = await app.visitor();
      const first = app.ask({ headers: { cookie } });
      await staged.opened;
      const second = await app.ask({ path: "/see", headers: { cookie } });
      seen.open();
      const done = await first;
      assert.deepEqual([second.text, done.text], ["1", "done"]);
      assert.equal(await app.stored(cookieAfter(cookie, done)), 2);
    },
  },
  ...["GET", "HEAD"].map(
    (method, index): Case => ({
      rule: `H7.${9 + index}`,
      title: `a response to ${method} has the Content-Length that the handler set, also beside the session's cookie`,
      async run({ serve }) {
        const app = await serve(
          writing(2, { headers: { "Content-Type": "text/plain", "Content-Length": "4" }, body: "done" }),
        );
        for (const cookie of ["", await app.visitor()]) {
          const answer = await app.ask({ method, headers: { cookie } });
          assert.deepEqual(
            [answer.text, answer.headers["content-length"]],
            [method === "GET" ? "done" : "", "4"],
          );
        }
      },
    }),
  ),
  {
    rule: "H1.4",
    title:
      "if the client disconnects while the commit runs, the commit completes, and the next request is served",
    async run({ serve }) {
      const committing = gate();
      const gone = gate();
      const app = await serve(writing(2));
      const cookie = await app.visitor();
      const committed = gate();
      app.backend.beforeWrite = async () => {
        committing.open();
        await gone.opened;
      };
      app.backend.afterWrite = committed.open;
      const away = new AbortController();
      const answer = app.ask({ headers: { cookie }, signal: away.signal });
      await committing.opened;
      away.abort();
      await assert.rejects(answer);
      // The server notices.
      await longEnough();
      gone.open();
      await committed.opened;
      assert.equal(await app.stored(cookie), 2);
      assert.equal((await app.ask({ headers: { cookie } })).status, 200);
      assert.deepEqual(app.errors, []);
    },
  },
];
