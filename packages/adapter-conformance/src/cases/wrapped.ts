import assert from "node:assert/strict";
import type { SessionManager } from "@sessions/core";
import { cookieOf } from "../client.ts";
import { type Case, longEnough, pieces } from "../kit.ts";
import type { Handler } from "../target.ts";

type Get = (target: object, key: string | symbol) => unknown;

/** Binds methods to the wrapped object, as tracing code does. */
const bound: Get = (target, key) => {
  const value: unknown = Reflect.get(target, key);
  return typeof value === "function" ? value.bind(target) : value;
};

/** Ways to wrap an object; the adapter must work with all of them. */
const WRAPS: Readonly<Record<string, <T extends object>(it: T) => T>> = {
  "in a Proxy without traps": (it) => new Proxy(it, {}),
  "in a Proxy that binds methods": <T extends object>(it: T) => new Proxy<T>(it, { get: bound }),
  // Like objects of a version of core without these symbols.
  "so that the adapter cannot see what is to be committed": (it) =>
    new Proxy(it, { get: (target, key) => (typeof key === "symbol" ? undefined : bound(target, key)) }),
};

/** Wraps a manager, and each session that it opens. */
const wrapper =
  (wrap: <T extends object>(it: T) => T) =>
  (sessions: SessionManager): SessionManager =>
    new Proxy(wrap(sessions), {
      get(target, key) {
        if (key !== "open") return bound(target, key);
        return async (...args: Parameters<SessionManager["open"]>) => wrap(await sessions.open(...args));
      },
    });

const handler: Handler = ({ session, method, url }) => {
  const app = session.store<{ n: number }>("app");
  if (url === "/in") session.login("ada");
  if (method === "POST") app.update("n", (n = 0) => n + 1);
  if (url !== "/stream") return { body: String(app.get("n")) };
  return { body: pieces("first ", longEnough, () => void app.update("n", (n = 0) => n + 1), "last") };
};

/** Wrapped managers and sessions. */
export const WRAPPED: readonly Case[] = Object.entries(WRAPS).map(([how, wrap], index) => ({
  rule: `H12.${index + 2}`,
  title: `a manager and its sessions work as usual if they are wrapped ${how}`,
  async run({ serve, can }) {
    const app = await serve(handler, {}, {}, { wrap: wrapper(wrap) });
    const guest = await app.ask();
    assert.deepEqual([guest.text, guest.cookies, app.backend.calls], ["undefined", [], []]);
    const cookie = await app.visitor();
    const headers = { cookie };
    assert.equal((await app.ask({ headers })).text, "1");
    assert.equal((await app.ask({ headers, method: "POST" })).text, "2");
    if (can("streams")) assert.equal((await app.ask({ headers, path: "/stream" })).text, "first last");
    const n = can("streams") ? 3 : 2;
    assert.equal(await app.stored(cookie), n);
    const fresh = await app.ask({ method: "POST" });
    assert.equal(await app.stored(cookieOf(fresh)), 1);
    const ada = cookieOf(await app.ask({ path: "/in", headers }));
    assert.equal((await app.sessions.open(ada)).principal, "ada");
    assert.equal(await app.stored(ada), n);
    // The event loop still turns: no wrapped session keeps the process busy.
    await new Promise((resolve) => setImmediate(resolve));
  },
}));
