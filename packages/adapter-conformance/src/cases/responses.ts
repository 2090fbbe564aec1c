import assert from "node:assert/strict";
import { cookieAfter, cookieOf } from "../client.ts";
import { type Case, type Kit, writing } from "../kit.ts";
import type { Handler } from "../target.ts";

/** A form that writes, logs in, and then responds by path. */
const form: Handler = async ({ session, url }) => {
  session.store("app").set("n", 2);
  if (url.startsWith("/rotate")) session.rotate();
  else session.login("mallory");
  session.store("app").set("user", "mallory");
  if (url.endsWith("commit")) await session.commit();
  if (url.endsWith("throw")) throw new Error("this account is locked");
  return { status: Number(/\d+/.exec(url)?.[0]), body: "no" };
};

/** Headers for shared caches. */
const cached = {
  "Cache-Control": "public, max-age=60",
  "CDN-Cache-Control": "max-age=60",
  "Cloudflare-CDN-Cache-Control": "max-age=60",
  "Surrogate-Control": "max-age=60",
  "Edge-Control": "max-age=60",
  "X-Accel-Expires": "60",
};

/** Returns the different `Vary` headers of a handler's responses. */
async function varyOf({ serve }: Kit, read: boolean, own?: string, vary?: boolean): Promise<unknown[]> {
  const app = await serve(
    ({ session, url }) => {
      if (read) session.store("app").get("n");
      return { status: url === "/304" ? 304 : 200, ...(own && { headers: { Vary: own } }) };
    },
    {},
    vary === undefined ? {} : { vary },
  );
  const found: unknown[] = [];
  for (const cookie of ["", await app.visitor()])
    for (const path of ["/", "/304"])
      found.push((await app.ask({ path, headers: { cookie } })).headers["vary"]);
  return [...new Set(found)];
}

/** Returns how often a request commits, ten minutes after its session was made. */
async function touchesOf({ serve }: Kit, touch?: boolean): Promise<number> {
  let now = Date.now();
  const app = await serve(
    () => ({ body: "x" }),
    { clock: () => now, idle: "1h", touchEvery: "1m" },
    touch === undefined ? {} : { touch: () => touch },
  );
  const cookie = await app.visitor();
  now += 10 * 60_000;
  await app.ask({ headers: { cookie } });
  return app.backend.calls.filter((call) => call === "commit").length;
}

/** Makes a manager without `NODE_ENV`. */
async function withoutNodeEnv<T>(make: () => Promise<T>): Promise<T> {
  const { NODE_ENV } = process.env;
  delete process.env["NODE_ENV"];
  try {
    return await make();
  } finally {
    if (NODE_ENV !== undefined) process.env["NODE_ENV"] = NODE_ENV;
  }
}

const byBrowser = (host: string) => ({ host, "sec-fetch-site": "same-origin" });

/** Error responses, caches, touch and https. */
export const RESPONSES: readonly Case[] = [
  ...["/throw", "/403", "/500"].map(
    (path, index): Case => ({
      rule: `H4.${index + 1}`,
      title: `a login that is followed by ${path === "/throw" ? "an exception" : `status ${path.slice(1)}`} logs nobody in`,
      async run({ serve }) {
        const app = await serve(form);
        const answer = await app.ask({ path });
        assert.equal(answer.status >= 400, true);
        for (const cookie of answer.cookies)
          assert.equal((await app.sessions.open(cookie.split(";")[0])).principal, undefined);
        for await (const { principal, stores } of app.sessions.list())
          assert.deepEqual([principal, stores], [undefined, ["app"]]);
      },
    }),
  ),
  {
    rule: "H4.4",
    title:
      "an error response keeps what was staged before a login, and drops the login and what was staged after it",
    async run({ serve }) {
      const app = await serve(form);
      const answer = await app.ask({ path: "/403" });
      const cookie = cookieOf(answer);
      assert.deepEqual([await app.stored(cookie), await app.stored(cookie, "user")], [2, undefined]);
    },
  },
  {
    rule: "H4.5",
    title: "a visitor's session stays as it was if a login or rotate() ends in an error response",
    async run({ serve }) {
      const app = await serve(form);
      for (const path of ["/throw", "/403", "/rotate/500"]) {
        const cookie = await app.visitor("ada");
        assert.deepEqual((await app.ask({ path, headers: { cookie } })).cookies, []);
        assert.equal((await app.sessions.open(cookie)).principal, "ada");
        assert.equal(await app.stored(cookie, "user"), undefined);
      }
    },
  },
  {
    rule: "H4.6",
    title: "a login that commit() has stored stays, whatever the status",
    async run({ serve }) {
      const app = await serve(form);
      const answer = await app.ask({ path: "/403/commit" });
      assert.equal(answer.status, 403);
      assert.equal((await app.sessions.open(cookieOf(answer))).principal, "mallory");
    },
  },
  {
    rule: "H4.11",
    title: "a login or rotate() that is followed by a redirect stays, and its cookie goes out",
    async run({ serve }) {
      const app = await serve(({ session, url }) => {
        if (url === "/in") session.login("ada");
        else session.rotate();
        return { redirect: "/" };
      });
      for (const path of ["/in", "/rotate"]) {
        const cookie = await app.visitor("ada");
        const answer = await app.ask({ method: "POST", path, headers: { cookie } });
        assert.deepEqual([answer.status, answer.cookies.length], [303, 1]);
        assert.notEqual(cookieOf(answer), cookie);
        assert.equal((await app.sessions.open(cookieOf(answer))).principal, "ada");
      }
    },
  },
  {
    rule: "H4.10",
    title: "setting a property of the session is an error that reaches the error page",
    async run({ serve }) {
      const app = await serve(({ session }) => {
        Reflect.set(session, "user", { id: 7 });
        return { body: "saved" };
      });
      const answer = await app.ask();
      assert.deepEqual([answer.status, answer.cookies], [500, []]);
      assert.match(String(app.errors[0]), /session\.user.*store\(/);
    },
  },
  {
    rule: "H5.9",
    title:
      "a response whose handler looked at the session has Vary: Cookie, also for guests and with status 304",
    async run(kit) {
      assert.deepEqual(await varyOf(kit, true), ["Cookie"]);
      assert.deepEqual(await varyOf(kit, true, "Accept-Encoding"), ["Accept-Encoding, Cookie"]);
      assert.deepEqual(await varyOf(kit, true, "Origin, cookie"), ["Origin, cookie"]);
      assert.deepEqual(await varyOf(kit, true, "*"), ["*"]);
    },
  },
  {
    rule: "H5.10",
    title: "a response whose handler did not look at the session has no Vary: Cookie",
    async run(kit) {
      assert.deepEqual(await varyOf(kit, false), [undefined]);
      assert.deepEqual(await varyOf(kit, false, "Origin"), ["Origin"]);
    },
  },
  {
    rule: "H5.11",
    title: "with the option vary: false no response has Vary: Cookie",
    needs: "vary",
    async run(kit) {
      assert.deepEqual(await varyOf(kit, true, undefined, false), [undefined]);
      assert.deepEqual(await varyOf(kit, true, undefined, true), ["Cookie"]);
    },
  },
  {
    rule: "H5.8",
    title:
      "a response with the session's cookie loses its headers for CDNs, and any other response keeps them",
    async run({ serve }) {
      const app = await serve(writing(2, { headers: cached, body: "x" }));
      const fresh = await app.ask();
      assert.deepEqual([fresh.cookies.length, fresh.headers["cache-control"]], [1, "private, no-store"]);
      const known = await app.ask({ headers: { cookie: await app.visitor() } });
      for (const [name, value] of Object.entries(cached)) {
        if (known.cookies.length === 0) assert.equal(known.headers[name.toLowerCase()], value);
        if (name !== "Cache-Control") assert.equal(fresh.headers[name.toLowerCase()], undefined);
      }
    },
  },
  {
    rule: "H14.1",
    title: "a request moves the expiry of its session",
    async run(kit) {
      assert.equal(await touchesOf(kit), 1);
    },
  },
  {
    rule: "H14.2",
    title: "a request for which the option touch returns false does not move the expiry",
    needs: "touch",
    async run(kit) {
      assert.deepEqual([await touchesOf(kit, true), await touchesOf(kit, false)], [1, 0]);
    },
  },
  {
    rule: "H9.1",
    title: "over https no new cookie goes out without Secure, unless secure: false is set",
    async run({ serve }) {
      const app = await withoutNodeEnv(() => serve(writing(2)));
      const cookie = await app.visitor();
      const refused = await app.ask({ headers: byBrowser("shop.example") });
      for (const sent of refused.cookies) assert.match(sent, /; Secure/i);
      if (refused.cookies.length === 0) {
        assert.deepEqual([refused.status, app.backend.calls], [500, []]);
        assert.match(String(app.errors[0]), /NODE_ENV=production.*secure/);
      }
      // A visitor with a cookie stays logged in.
      const known = await app.ask({ headers: { ...byBrowser("shop.example"), cookie } });
      assert.deepEqual([known.status, await app.stored(cookieAfter(cookie, known))], [200, 2]);
      const meant = await withoutNodeEnv(() => serve(writing(2), { cookie: { secure: false } }));
      assert.equal((await meant.ask({ headers: byBrowser("shop.example") })).cookies.length, 1);
    },
  },
  {
    rule: "H9.2",
    title: "on localhost, and over http, a new cookie goes out without the setting secure",
    async run({ serve }) {
      for (const headers of [
        ...["localhost", "localhost:3000", "app.localhost:80", "127.0.0.1:3000", "[::1]:3000"].map(byBrowser),
        { host: "192.168.1.7:3000" },
        { host: "shop.example", "x-forwarded-proto": "https" },
      ]) {
        const app = await withoutNodeEnv(() => serve(writing(2)));
        const answer = await app.ask({ headers });
        assert.deepEqual([answer.status, answer.cookies.length], [200, 1]);
      }
    },
  },
];
