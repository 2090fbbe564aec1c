import assert from "node:assert/strict";
import { cookieAfter, cookieOf } from "../client.ts";
import { type Case, type Kit, writing } from "../kit.ts";
import type { Handler } from "../target.ts";

/** Shows "new", or `app/n` of the client's session. */
const showing: Handler = ({ session }) => ({
  body: session.isNew ? "new" : String(session.store("app").get("n")),
});

const crossSite = { "sec-fetch-site": "cross-site" };

/** Cookies and headers. */
export const COOKIES: readonly Case[] = [
  {
    rule: "H2.2",
    title: "the session's cookie goes out beside all cookies that the application sets",
    async run({ serve }) {
      const app = await serve(
        writing(2, { headers: { "Set-Cookie": ["a=1; Path=/", "b=2"] }, body: "done" }),
      );
      const { cookies } = await app.ask();
      assert.deepEqual(
        cookies.filter((cookie) => !cookie.startsWith("sid=")),
        ["a=1; Path=/", "b=2"],
      );
      assert.match(cookies.find((cookie) => cookie.startsWith("sid=")) ?? "", /; HttpOnly/i);
      assert.equal(cookies.length, 3);
    },
  },
  {
    rule: "H2.3",
    title: "the application's cookies go out unchanged if the session has no cookie to send",
    async run({ serve }) {
      const app = await serve(() => ({ headers: { "Set-Cookie": ["a=1", "b=2"] }, body: "done" }));
      const { cookies, headers } = await app.ask({ headers: { cookie: await app.visitor() } });
      assert.deepEqual(cookies, ["a=1", "b=2"]);
      assert.equal(headers["cache-control"], undefined);
    },
  },
  ...(
    [
      [undefined, "private, no-store"],
      ["public, max-age=60", "private, no-store"],
      ["max-age=60, x-private", "private, no-store"],
      ['ext="a, private, b"', "private, no-store"],
      ["Private, max-age=60", "Private, max-age=60"],
      ["no-store", "no-store"],
    ] as const
  ).map(
    ([own, sent], index): Case => ({
      rule: `H5.${index + 1}`,
      title: `if the handler set ${own === undefined ? "no Cache-Control" : `Cache-Control: ${own}`}, a response with the session's cookie has Cache-Control: ${sent}`,
      async run({ serve }: Kit) {
        const headers = own === undefined ? {} : { "Cache-Control": own };
        const app = await serve(writing(2, { headers, body: "done" }));
        assert.equal((await app.ask()).headers["cache-control"], sent);
      },
    }),
  ),
  {
    rule: "H5.7",
    title: "a response without the session's cookie keeps its Cache-Control",
    async run({ serve }) {
      const app = await serve(writing(2, { headers: { "Cache-Control": "public" }, body: "done" }));
      const { headers } = await app.ask({ headers: { cookie: await app.visitor() } });
      assert.equal(headers["cache-control"], "public");
    },
  },
  {
    rule: "H2.7",
    title: "the session's cookie goes out as the core made it, with all its attributes",
    async run({ serve }) {
      const options = { cookie: { name: "own", path: "/app", secure: true, sameSite: "strict" } } as const;
      const app = await serve(writing(2), options);
      const session = await app.sessions.open(undefined);
      session.store("app").set("n", 2);
      const { setCookie } = await session.commit();
      const { cookies } = await app.ask();
      const attributes = (text = ""): string[] =>
        text
          .split("; ")
          .slice(1)
          .filter((one) => !/^expires=/i.test(one));
      assert.deepEqual(attributes(cookies[0]), attributes(setCookie));
      assert.match(cookies[0] ?? "", /^own=[^;]+; /);
    },
  },
  {
    rule: "H2.4",
    title: "of several cookies with the session's name, the first valid one wins",
    async run({ serve }) {
      const app = await serve(({ session }) => ({ body: String(session.principal) }));
      const ada = await app.visitor("ada");
      const bob = await app.visitor("bob");
      for (const [cookie, principal] of [
        [`sid=nonsense; ${ada}`, "ada"],
        [`${ada}; sid=nonsense`, "ada"],
        [`a=1; ${ada}; ${bob}`, "ada"],
        [`${bob}; b=2; ${ada}`, "bob"],
      ] as const)
        assert.equal((await app.ask({ headers: { cookie } })).text, principal);
    },
  },
  {
    rule: "H2.5",
    title: "a Cookie header of 8 KB opens its session",
    async run({ serve }) {
      const app = await serve(showing);
      const mine = await app.visitor();
      const cookie = `big=${"x".repeat(8192 - mine.length - 6)}; ${mine}`;
      assert.equal(Buffer.byteLength(cookie), 8192);
      assert.equal((await app.ask({ headers: { cookie } })).text, "1");
    },
  },
  {
    rule: "H2.6",
    title: "an unknown cookie opens no session, and a first write replaces it",
    async run({ serve }) {
      const app = await serve(writing(2));
      const cookie = `sid=${"0".repeat(32)}.${"A".repeat(43)}`;
      const answer = await app.ask({ headers: { cookie } });
      assert.equal(answer.cookies.length, 1);
      assert.notEqual(cookieOf(answer), cookie);
      assert.equal(await app.stored(cookieOf(answer)), 2);
    },
  },
  {
    rule: "H9.3",
    title: "a Secure cookie is sent, whatever the headers of a proxy say",
    async run({ serve }) {
      const app = await serve(writing(2), { cookie: { secure: true } });
      for (const headers of [
        {},
        {
          "x-forwarded-proto": "https",
          "x-forwarded-host": "shop.example",
          "x-forwarded-for": "203.0.113.7",
        },
        { "x-forwarded-proto": "http" },
        { forwarded: "for=203.0.113.7;proto=https;host=shop.example" },
      ]) {
        const { cookies } = await app.ask({ headers });
        assert.equal(cookies.length, 1);
        assert.match(cookies[0] ?? "", /; Secure/i);
      }
    },
  },
  ...["POST", "PUT", "PATCH", "DELETE"].map(
    (method, index): Case => ({
      rule: `H6.${index + 1}`,
      title: `a ${method} from another site without the session's cookie stores nothing and gets no cookie`,
      async run({ serve }: Kit) {
        const app = await serve(writing(2));
        const answer = await app.ask({ method, headers: crossSite });
        assert.deepEqual([answer.status, answer.cookies, app.backend.calls], [200, [], []]);
      },
    }),
  ),
  {
    rule: "H6.6",
    title: "a GET or HEAD from another site may begin a session, unless the cookie is SameSite=Strict",
    async run({ serve }) {
      const app = await serve(writing(2));
      for (const method of ["GET", "HEAD"])
        assert.equal((await app.ask({ method, headers: crossSite })).cookies.length, 1);
      const strict = await serve(writing(2), { cookie: { sameSite: "strict" } });
      assert.deepEqual((await strict.ask({ headers: crossSite })).cookies, []);
      assert.equal((await strict.ask({ headers: { "sec-fetch-site": "same-origin" } })).cookies.length, 1);
    },
  },
  {
    rule: "H6.5",
    title:
      "a POST from another site with an unknown cookie of the session's name is treated like one without",
    async run({ serve }) {
      const app = await serve(writing(2));
      for (const junk of ["sid=junk", `sid=${"0".repeat(32)}.${"A".repeat(43)}`]) {
        const answer = await app.ask({ method: "POST", headers: { ...crossSite, cookie: junk } });
        assert.deepEqual([answer.status, answer.cookies], [200, []]);
      }
    },
  },
  {
    rule: "H6.7",
    title: "a request from another site with the session's cookie is treated like any other",
    async run({ serve }) {
      const app = await serve(writing(2));
      const cookie = await app.visitor();
      const answer = await app.ask({ method: "POST", headers: { ...crossSite, cookie } });
      assert.equal(await app.stored(cookieAfter(cookie, answer)), 2);
    },
  },
];
