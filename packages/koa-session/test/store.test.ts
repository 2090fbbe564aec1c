import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Driver, DriverUnavailableError } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import Koa from "koa";
import session from "koa-session";
import { describe, expect, onTestFinished, test } from "vitest";
import { type KoaSessionStoreOptions, koaSessionStore } from "../src/index.ts";

/** koa-session's own way to keep sessions outside of the cookie. */
function ownStore() {
  const kept = new Map<string, string>();
  return {
    get: async (key: string) => JSON.parse(kept.get(key) ?? "null") ?? undefined,
    set: async (key: string, value: unknown) => void kept.set(key, JSON.stringify(value)),
    destroy: async (key: string) => void kept.delete(key),
  };
}

const ours = (driver: Driver = memoryDriver(), options?: KoaSessionStoreOptions) => {
  const { ContextStore } = koaSessionStore(driver, options);
  return { ContextStore };
};

/** A small site. `/wait` has read its session, and writes to it when `release()` is called. */
async function start(options: object) {
  const app = new Koa();
  app.silent = true;
  app.keys = ["a secret of the test's"];
  app.use(session(options, app));
  let release = (): void => {};
  let arrived = (): void => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  app.use(async (ctx) => {
    const { pathname, searchParams } = ctx.URL;
    const data: Record<string, unknown> = Object(ctx["session"]);
    if (pathname === "/wait") {
      Reflect.get(data, "any");
      await new Promise<void>((resolve) => {
        release = resolve;
        arrived();
      });
    }
    if (pathname === "/logout" || searchParams.has("logout")) ctx["session"] = null;
    else if (pathname === "/login" || searchParams.has("regenerate")) {
      await ctx["session"].regenerate();
      Object.assign(
        ctx["session"],
        Object.fromEntries([...searchParams].filter(([, value]) => value !== "")),
      );
    } else if (pathname === "/replace") ctx["session"] = Object.fromEntries(searchParams);
    else for (const [key, value] of searchParams) data[key] = value === "" ? undefined : value;
    ctx.body = { ...ctx["session"]?.toJSON() };
  });
  const server = createServer(app.callback()).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  /** Makes requests with the cookies of one browser. */
  function browser(from?: ReadonlyMap<string, string>) {
    const jar = new Map(from);
    async function ask(path: string): Promise<{ status: number; data: Record<string, unknown> }> {
      const response = await fetch(url + path, {
        headers: { cookie: [...jar].map((pair) => pair.join("=")).join("; ") },
      });
      for (const cookie of response.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        jar.set(name, value);
      }
      const text = await response.text();
      const { _expire, _maxAge, _session, ...data } = response.ok ? JSON.parse(text) : {};
      return { status: response.status, data };
    }
    return { ask, jar, copy: () => browser(jar) };
  }
  return { browser, arrival, release: () => release() };
}

const kinds: [string, () => object, boolean][] = [
  ["koa-session in the cookie", () => ({}), false],
  ["koa-session with a store of its own", () => ({ store: ownStore() }), false],
  ["this store", () => ours(), true],
];

describe.each(kinds)("%s", (_, options, holds) => {
  test("two overlapping requests change different keys", async () => {
    const { browser, arrival, release } = await start(options());
    const visitor = browser();
    await visitor.ask("/?first=1");
    const slow = visitor.ask("/wait?slow=1");
    await arrival;
    await visitor.ask("/?quick=1");
    release();
    await slow;
    const { data } = await visitor.ask("/");
    expect(data).toEqual({ first: "1", slow: "1", ...(holds && { quick: "1" }) });
  });

  test("a slow request ends after a logout", async () => {
    const { browser, arrival, release } = await start(options());
    const visitor = browser();
    await visitor.ask("/login?user=ada");
    const late = visitor.copy();
    const slow = late.ask("/wait?seen=1");
    await arrival;
    await visitor.ask("/logout");
    release();
    await slow;
    const { data } = await late.ask("/");
    expect(data).toEqual(holds ? {} : { user: "ada", seen: "1" });
  });

  test("a slow request ends after a login, and its response comes last", async () => {
    const { browser, arrival, release } = await start(options());
    const visitor = browser();
    await visitor.ask("/?first=1");
    const slow = visitor.ask("/wait?seen=1");
    await arrival;
    await visitor.ask("/login?user=ada");
    release();
    await slow;
    const { data } = await visitor.ask("/");
    expect(data).toEqual(holds ? { first: "1", user: "ada" } : { first: "1", seen: "1" });
  });

  test("a slow request regenerates its session after a logout", async () => {
    const { browser, arrival, release } = await start(options());
    const visitor = browser();
    await visitor.ask("/login?user=ada");
    const late = visitor.copy();
    const slow = late.ask("/wait?regenerate=1");
    await arrival;
    await visitor.ask("/logout");
    release();
    await slow;
    const { data } = await late.ask("/");
    expect(data).toEqual({ regenerate: "1", ...(!holds && { user: "ada" }) });
  });
});

test("a cookie that was copied before the logout is dead", async () => {
  const { browser } = await start(ours());
  const visitor = browser();
  await visitor.ask("/login?user=ada");
  const thief = visitor.copy();
  await visitor.ask("/logout");
  expect((await thief.ask("/")).data).toEqual({});
});

test("a slow request that regenerates its session after another one did changes no cookie", async () => {
  const { browser, arrival, release } = await start(ours());
  const visitor = browser();
  await visitor.ask("/login?user=ada");
  const slow = visitor.ask("/wait?regenerate=");
  await arrival;
  await visitor.ask("/login?user=ada");
  release();
  await slow;
  expect((await visitor.ask("/")).data).toEqual({ user: "ada" });
});

test("a login that is sent twice logs in, whichever response comes last", async () => {
  const { browser, arrival, release } = await start(ours());
  const visitor = browser();
  await visitor.ask("/?cart=tea");
  const slow = visitor.ask("/wait?regenerate=&user=ada");
  await arrival;
  await visitor.ask("/login?user=ada");
  release();
  await slow;
  expect((await visitor.ask("/")).data).toEqual({ user: "ada" });
});

test("the cookie is cleared by a logout after another one", async () => {
  const { browser, arrival, release } = await start(ours());
  const visitor = browser();
  await visitor.ask("/login?user=ada");
  const slow = visitor.ask("/wait?logout=1");
  await arrival;
  await visitor.copy().ask("/logout");
  release();
  await slow;
  expect(visitor.jar.get("koa.sess")).toBe("");
});

test("keys are set, changed and removed, and an object replaces them all", async () => {
  const { browser } = await start(ours());
  const { ask } = browser();
  await ask("/?a=1&b=1&c.d%2F%25=%C3%A9");
  expect((await ask("/?a=2&b=")).data).toEqual({ a: "2", "c.d/%": "é" });
  expect((await ask("/")).data).toEqual({ a: "2", "c.d/%": "é" });
  await ask("/replace?z=1");
  expect((await ask("/")).data).toEqual({ z: "1" });
});

test("regenerate() gives another id, and ends the old one", async () => {
  const { browser } = await start(ours());
  const visitor = browser();
  await visitor.ask("/?cart=tea");
  const before = visitor.copy();
  await visitor.ask("/login?user=ada");
  expect((await visitor.ask("/")).data).toEqual({ cart: "tea", user: "ada" });
  expect((await before.ask("/")).data).toEqual({});
});

test("a request that reads writes nothing, and one that writes, only what changed", async () => {
  const driver = memoryDriver();
  const commits: string[][] = [];
  const { browser } = await start(
    ours({
      ...driver,
      commit(id, change, now) {
        commits.push([...change.fields.keys()].filter((name) => !name.includes("/_")));
        return driver.commit(id, change, now);
      },
    }),
  );
  const { ask } = browser();
  await ask("/?a=1&b=1");
  await ask("/");
  expect(commits).toEqual([]);
  await ask("/?b=2");
  expect(commits).toEqual([["koa-session/b"]]);
});

test("nothing in the backend is the id in the cookie", async () => {
  const driver = memoryDriver();
  const { browser } = await start(ours(driver));
  const { ask, jar } = browser();
  await ask("/?a=1");
  const { records } = await driver.list({ limit: 10 }, Date.now());
  expect(records).toHaveLength(1);
  expect(JSON.stringify(records)).not.toContain(jar.get("koa.sess"));
  expect(records[0]?.id).not.toBe(jar.get("koa.sess"));
});

test("a backend that is down is an error, and the visitor stays logged in", async () => {
  const driver = memoryDriver();
  let isDown = false;
  const load: Driver["load"] = async (id) => {
    if (isDown) throw new DriverUnavailableError("down");
    return driver.load(id);
  };
  const { browser } = await start(ours({ ...driver, load }));
  const { ask } = browser();
  await ask("/login?user=ada");
  isDown = true;
  expect((await ask("/")).status).toBe(503);
  isDown = false;
  expect((await ask("/")).data).toEqual({ user: "ada" });
});

describe("destroyAll()", () => {
  test("ends the sessions of a user, and no others", async () => {
    const { ContextStore, destroyAll, exists } = koaSessionStore(memoryDriver(), {
      principal: (data) => data["user"],
    });
    const { browser } = await start({ ContextStore });
    const [phone, laptop, other] = [browser(), browser(), browser()];
    await phone.ask("/login?user=ada");
    await laptop.ask("/login?user=ada");
    await other.ask("/login?user=bob");
    const key = phone.jar.get("koa.sess") ?? "";
    expect(await exists(key)).toBe(true);
    expect(await destroyAll("ada")).toBe(2);
    expect(await exists(key)).toBe(false);
    expect((await phone.ask("/")).data).toEqual({});
    expect((await laptop.ask("/")).data).toEqual({});
    expect((await other.ask("/")).data).toEqual({ user: "bob" });
  });

  test("finds nobody whose user has gone from the data", async () => {
    const { ContextStore, destroyAll } = koaSessionStore(memoryDriver(), {
      principal: (data) => data["user"],
    });
    const { browser } = await start({ ContextStore });
    const { ask } = browser();
    await ask("/login?user=ada");
    await ask("/?user=");
    expect(await destroyAll("ada")).toBe(0);
  });

  test.each([undefined, "", {}])("refuses %o", async (principal) => {
    const { destroyAll } = koaSessionStore(memoryDriver());
    await expect(async () => Reflect.apply(destroyAll, undefined, [principal])).rejects.toThrow(TypeError);
  });
});

test.each([
  [[undefined], /driver must be a driver/],
  [[memoryDriver(), { ttl: 1 }], /unknown option "ttl"/],
  [[memoryDriver(), { setup: "later" }], /setup must be "auto" or "manual"/],
  [[memoryDriver(), { principal: "user" }], /principal must be a function/],
  [[memoryDriver(), { idle: -1 }], /idle/],
])("%o is refused", (given, message) => {
  expect(() => Reflect.apply(koaSessionStore, undefined, given)).toThrow(message);
});
