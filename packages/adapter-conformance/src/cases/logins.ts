import assert from "node:assert/strict";
import { clears, cookieAfter, cookieOf } from "../client.ts";
import { type Case, gate } from "../kit.ts";
import type { Handler } from "../target.ts";

/** Logs in, rotates or logs out by path, and shows the principal. */
const door: Handler = async ({ session, url }) => {
  if (url === "/in") session.login("ada");
  if (url === "/rotate") session.rotate();
  if (url === "/out") await session.logout();
  return { body: String(session.principal) };
};

/** Logins, rotations and logouts. */
export const LOGINS: readonly Case[] = [
  {
    rule: "H13.1",
    title: "a login and rotate() send a new cookie, keep the stores, and end the old session",
    async run({ serve }) {
      const app = await serve(door);
      let cookie = await app.visitor();
      for (const path of ["/in", "/rotate"]) {
        const answer = await app.ask({ path, headers: { cookie } });
        assert.deepEqual([answer.text, answer.cookies.length], ["ada", 1]);
        assert.notEqual(cookieOf(answer), cookie);
        assert.equal(await app.stored(cookieOf(answer)), 1);
        assert.equal(await app.stored(cookie), undefined);
        cookie = cookieOf(answer);
      }
    },
  },
  {
    rule: "H13.2",
    title: "a logout ends the session and clears the cookie",
    async run({ serve }) {
      const app = await serve(door, { cookie: { path: "/shop" } });
      const cookie = await app.visitor("ada");
      const answer = await app.ask({ path: "/out", headers: { cookie } });
      assert.deepEqual([answer.status, answer.text, answer.cookies.length], [200, "undefined", 1]);
      assert.equal(clears(answer.cookies[0], "sid"), true);
      // A browser deletes only the cookie with the same path.
      assert.match(answer.cookies[0] ?? "", /; *Path=\/shop(;|$)/i);
      assert.equal(await app.stored(cookie), undefined);
    },
  },
  {
    rule: "H13.3",
    title:
      "if a request ends its session more than once, the cookie is cleared, or replaced by that of a later write",
    async run({ serve }) {
      const app = await serve(async ({ session, url }) => {
        if (url.includes("everywhere")) await app.sessions.destroyAll({ principal: "ada" });
        await session.logout();
        if (url.includes("twice")) await session.logout();
        if (url.includes("flash")) session.store("app").set("n", 2);
        return { redirect: "/" };
      });
      for (const path of [
        "/twice",
        "/everywhere",
        "/twice/flash",
        "/everywhere/flash",
        "/everywhere/twice/flash",
      ]) {
        const cookie = await app.visitor("ada");
        const answer = await app.ask({ path, headers: { cookie } });
        assert.equal((await app.sessions.open(cookie)).principal, undefined);
        if (path.includes("flash")) assert.equal(await app.stored(cookieOf(answer)), 2);
        else assert.equal(clears(answer.cookies.at(-1), "sid"), true);
      }
    },
  },
  {
    rule: "H13.4",
    title: "if a session ends elsewhere during a request, the response goes out without a cookie",
    async run({ serve }) {
      const app = await serve(async ({ session }) => {
        await app.sessions.destroy(session.id);
        session.store("app").set("n", 2);
        return { body: "fine" };
      });
      const cookie = await app.visitor();
      const answer = await app.ask({ headers: { cookie } });
      assert.deepEqual([answer.status, answer.text, answer.cookies], [200, "fine", []]);
      assert.deepEqual(app.errors, []);
      assert.equal(await app.stored(cookie), undefined);
    },
  },
  {
    rule: "H13.5",
    title: "a request that was under way at the login cannot take the new cookie away",
    async run({ serve }) {
      const entered = gate();
      const loggedIn = gate();
      const app = await serve(async (visit) => {
        if (visit.url === "/in") return door(visit);
        entered.open();
        await loggedIn.opened;
        visit.session.store("app").set("n", 2);
        return { body: "late" };
      });
      const cookie = await app.visitor();
      const late = app.ask({ headers: { cookie } });
      await entered.opened;
      const login = await app.ask({ path: "/in", headers: { cookie } });
      loggedIn.open();
      assert.deepEqual((await late).cookies, []);
      assert.equal((await app.ask({ path: "/who", headers: { cookie } })).cookies.length, 0);
      assert.equal((await app.sessions.open(cookieAfter(cookie, login))).principal, "ada");
    },
  },
  {
    rule: "H13.6",
    title:
      "a rotation in two overlapping requests sends one new cookie, and the old one stays good beside it",
    async run({ serve }) {
      let now = Date.now();
      const both = gate();
      let waiting = 0;
      const app = await serve(
        async ({ session }) => {
          // Wait until both have read the session before one of them commits.
          if (++waiting === 2) both.open();
          await both.opened;
          return { body: String(session.principal) };
        },
        { rotation: { every: "10m", grace: "2m" }, clock: () => now },
      );
      const cookie = await app.visitor("ada");
      now += 11 * 60_000;
      const headers = { cookie };
      const answers = await Promise.all([app.ask({ headers }), app.ask({ headers })]);
      assert.deepEqual(
        answers.map(({ status, text }) => [status, text]),
        [
          [200, "ada"],
          [200, "ada"],
        ],
      );
      const cookies = answers.flatMap((answer) => answer.cookies);
      assert.equal(cookies.length, 1);
      assert.notEqual(cookieOf({ cookies }), cookie);
      // A response may be lost: the old one is good until the new one has been seen.
      for (const known of [cookie, cookieOf({ cookies }), cookie])
        assert.equal((await app.ask({ headers: { cookie: known } })).text, "ada");
    },
  },
];
