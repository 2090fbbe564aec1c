import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { EncryptionFactory } from "@adonisjs/core/factories/encryption";
import { HttpContextFactory, RequestFactory, ResponseFactory } from "@adonisjs/core/factories/http";
import { defineConfig, SessionCollection } from "@adonisjs/session";
import { SessionMiddlewareFactory } from "@adonisjs/session/factories";
import type { SessionStoreFactory } from "@adonisjs/session/types";
import { type Driver, DriverUnavailableError } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { describe, expect, onTestFinished, test } from "vitest";
import { adonisSessionStore } from "../src/index.ts";

/** A store as AdonisJS's own are: it keeps each session whole. */
function ownStore(): SessionStoreFactory {
  const kept = new Map<string, string>();
  return () => ({
    read: (id) => JSON.parse(kept.get(id) ?? "null"),
    write: (id, data) => void kept.set(id, JSON.stringify(data)),
    destroy: (id) => void kept.delete(id),
    touch: () => {},
  });
}

/** A small site on AdonisJS's middleware. `/wait` has read its session, and goes on when `release()` is called. */
async function start(store: SessionStoreFactory) {
  const encryption = new EncryptionFactory().create();
  const config = {
    enabled: true,
    cookieName: "adonis_session",
    age: "2 hours",
    clearWithBrowser: false,
    cookie: {},
    store: "ours",
    stores: { ours: store },
  };
  const middleware = await new SessionMiddlewareFactory().merge({ config }).create();
  let release = (): void => {};
  let arrived = (): void => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const server = createServer(async (req, res) => {
    const request = new RequestFactory().merge({ req, res, encryption }).create();
    const response = new ResponseFactory().merge({ req, res, encryption }).create();
    const ctx = new HttpContextFactory().merge({ request, response }).create();
    try {
      await middleware.handle(ctx, async () => {
        const { session } = ctx;
        const { pathname, searchParams } = new URL(req.url ?? "", "http://localhost");
        if (pathname === "/wait")
          await new Promise<void>((resolve) => {
            release = resolve;
            arrived();
          });
        if (pathname === "/logout") session.clear();
        if (pathname === "/login") {
          session.regenerate();
          await session.tag(searchParams.get("user") ?? "");
        }
        if (searchParams.has("regenerate")) session.regenerate();
        if (pathname === "/untag") await session.untag("ada");
        for (const [key, value] of searchParams) {
          if (value === "") session.forget(key);
          else session.put(key, value);
        }
        response.json(session.all());
      });
    } catch (error) {
      response.status(error instanceof DriverUnavailableError ? error.statusCode : 500).send("");
      if (!(error instanceof DriverUnavailableError)) throw error;
    }
    response.finish();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  function browser(from?: ReadonlyMap<string, string>) {
    const jar = new Map(from);
    async function ask(path: string): Promise<{ status: number; data: unknown }> {
      const answer = await fetch(url + path, {
        headers: { cookie: [...jar].map((pair) => pair.join("=")).join("; ") },
      });
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        jar.set(name, value);
      }
      const text = await answer.text();
      return { status: answer.status, data: answer.ok ? JSON.parse(text) : undefined };
    }
    return { ask, jar, copy: () => browser(jar) };
  }
  const collection = new SessionCollection(config);
  return { browser, collection, arrival, release: () => release() };
}

const kinds: [string, () => SessionStoreFactory, boolean][] = [
  ["a store that keeps sessions whole", ownStore, false],
  ["this store", () => adonisSessionStore(memoryDriver()), true],
];

describe.each(kinds)("%s", (_, store, holds) => {
  test("two overlapping requests change different keys", async () => {
    const { browser, arrival, release } = await start(store());
    const visitor = browser();
    await visitor.ask("/?first=1");
    const slow = visitor.ask("/wait?slow=1");
    await arrival;
    await visitor.ask("/?quick=1");
    release();
    await slow;
    expect((await visitor.ask("/")).data).toEqual({ first: "1", slow: "1", ...(holds && { quick: "1" }) });
  });

  test("a slow request ends after a logout", async () => {
    const { browser, arrival, release } = await start(store());
    const visitor = browser();
    await visitor.ask("/?user=ada");
    const late = visitor.copy();
    const slow = late.ask("/wait?seen=1");
    await arrival;
    await visitor.ask("/logout");
    release();
    await slow;
    expect((await late.ask("/")).data).toEqual(holds ? {} : { user: "ada", seen: "1" });
  });

  test("a slow request regenerates its session after a logout", async () => {
    const { browser, arrival, release } = await start(store());
    const visitor = browser();
    await visitor.ask("/?user=ada");
    const late = visitor.copy();
    const slow = late.ask("/wait?regenerate=1");
    await arrival;
    await visitor.ask("/logout");
    release();
    await slow;
    expect((await late.ask("/")).data).toEqual({ regenerate: "1", ...(!holds && { user: "ada" }) });
  });
});

const ours = (driver: Driver = memoryDriver()) => start(adonisSessionStore(driver));

test("keys are set, changed and removed", async () => {
  const { browser } = await ours();
  const { ask } = browser();
  await ask("/?a=1&b=1&c%2F%25=%C3%A9");
  await ask("/?a=2&b=");
  expect((await ask("/")).data).toEqual({ a: "2", "c/%": "é" });
});

test("regenerate() gives another id, and ends the old session", async () => {
  const { browser } = await ours();
  const visitor = browser();
  await visitor.ask("/?cart=tea");
  const before = visitor.copy();
  await visitor.ask("/login?user=ada");
  expect((await visitor.ask("/")).data).toEqual({ cart: "tea", user: "ada" });
  expect((await before.ask("/")).data).toEqual({});
});

test("a request that reads writes nothing until a tenth of the age is over", async () => {
  const driver = memoryDriver();
  const commits: number[] = [];
  const commit: Driver["commit"] = (id, change, now) => {
    commits.push(change.fields.size);
    return driver.commit(id, change, now);
  };
  const { browser } = await ours({ ...driver, commit });
  const { ask } = browser();
  await ask("/?a=1");
  await ask("/");
  expect(commits).toEqual([]);
  const [record] = (await driver.list({ limit: 1 }, Date.now())).records;
  const earlier = { fields: new Map<string, string>(), expiresAt: Date.now() + 3_600_000 };
  await driver.commit(record?.id ?? "", earlier, Date.now());
  await ask("/");
  expect(commits).toEqual([0]);
  const [moved] = (await driver.list({ limit: 1 }, Date.now())).records;
  expect(moved?.expiresAt).toBeGreaterThan(Date.now() + 7_000_000);
});

test("tagged() finds a user's sessions, and destroy() ends them by the ids that it returned", async () => {
  const { browser, collection } = await ours();
  const [phone, laptop, other] = [browser(), browser(), browser()];
  await phone.ask("/login?user=ada");
  await laptop.ask("/login?user=ada");
  await other.ask("/login?user=bob");
  await phone.ask("/?cart=tea");
  const found = await collection.tagged("ada");
  expect(found.map(({ data }) => data)).toEqual(
    expect.arrayContaining([{ user: "ada", cart: "tea" }, { user: "ada" }]),
  );
  const [first] = found;
  expect(await collection.get(first?.id ?? "")).toEqual(first?.data);
  for (const { id } of found) await collection.destroy(id);
  expect(await collection.tagged("ada")).toEqual([]);
  expect((await phone.ask("/")).data).toEqual({});
  expect((await other.ask("/")).data).toEqual({ user: "bob" });
});

test("untag() takes a session from its user", async () => {
  const { browser, collection } = await ours();
  const { ask } = browser();
  await ask("/login?user=ada");
  await ask("/untag");
  expect(await collection.tagged("ada")).toEqual([]);
});

test("an id of tagged() opens nothing for a visitor", async () => {
  const driver = memoryDriver();
  const factory = adonisSessionStore(driver);
  const own = factory({}, { age: "2h" });
  await own.write("a", { user: "ada" });
  await own.tag("a", "ada");
  const [found] = await factory(null, { age: "2h" }).tagged("ada");
  const id = found?.id ?? "";
  expect(await factory({}, { age: "2h" }).read(id)).toBeNull();
  await factory({}, { age: "2h" }).destroy(id);
  expect(await factory({}, { age: "2h" }).read("a")).toEqual({ user: "ada" });
  expect(JSON.stringify((await driver.list({ limit: 9 }, Date.now())).records)).not.toContain('"a"');
});

test("a backend that is down is an error, and the visitor stays logged in", async () => {
  const driver = memoryDriver();
  let isDown = false;
  const load: Driver["load"] = async (id) => {
    if (isDown) throw new DriverUnavailableError("down");
    return driver.load(id);
  };
  const { browser } = await ours({ ...driver, load });
  const { ask } = browser();
  await ask("/?user=ada");
  isDown = true;
  expect((await ask("/")).status).toBe(503);
  isDown = false;
  expect((await ask("/")).data).toEqual({ user: "ada" });
});

test("AdonisJS's configuration takes it", () => {
  const config = defineConfig({ store: "ours", stores: { ours: adonisSessionStore(memoryDriver()) } });
  expect(config).toHaveProperty("resolver");
});

test.each([
  [[undefined], /driver must be a driver/],
  [[memoryDriver(), { ttl: 1 }], /unknown option "ttl"/],
  [[memoryDriver(), { setup: "later" }], /setup must be "auto" or "manual"/],
])("%o is refused", (given, message) => {
  expect(() => Reflect.apply(adonisSessionStore, undefined, given)).toThrow(message);
});
