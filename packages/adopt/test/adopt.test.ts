import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import { withSession } from "@sessions/adapter-fetch";
import { sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager, type Driver, DriverUnavailableError, type Session } from "@sessions/core";
import type { Adopt } from "@sessions/core/adapter-tools";
import { memoryDriver } from "@sessions/core/memory";
import cookieSession from "cookie-session";
import express from "express";
import createFastify from "fastify";
import { sealData } from "iron-session";
import { sealData as sealData8 } from "iron-session-8";
import Koa from "koa";
import { createSession } from "koa-session";
import { createCookieSessionStorage } from "react-router";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  adoptCookieSession,
  adoptFastifySession,
  adoptIronSession,
  adoptKoaSession,
  adoptReactRouterSession,
} from "../src/index.ts";

interface Old {
  readonly userId?: string;
  readonly cart?: string[];
}
const ADA: Old = { userId: "ada", cart: ["tea"] };
const KEYS = ["a new key of the old site", "an old key of the old site"];
const PASSWORDS = {
  1: "an old password of thirty-two characters",
  2: "a new password of thirty-two characters",
};
const UNTIL = new Date(Date.now() + 30 * 86_400_000);

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The Cookie header that a browser sends after it got these cookies. */
const cookieOf = (cookies: readonly string[]): string =>
  cookies
    .filter((one) => !/max-age=0/i.test(one))
    .map((one) => one.split(";", 1)[0])
    .join("; ");

const visit = async (listener: RequestListener): Promise<string> =>
  cookieOf((await fetch(await listen(listener))).headers.getSetCookie());

/** A driver that counts its calls, and can be down. */
function backend() {
  const inner = memoryDriver();
  const self = { calls: 0, down: false, lost: false };
  const reach = async <T>(go: () => Promise<T>): Promise<T> => {
    self.calls++;
    if (self.down) throw new DriverUnavailableError("the backend is down");
    return go();
  };
  const driver: Driver = {
    name: "counting",
    create: (...args) =>
      reach(async () => {
        const done = await inner.create(...args);
        if (self.lost) throw new DriverUnavailableError("the answer was lost");
        return done;
      }),
    load: (...args) => reach(() => inner.load(...args)),
    commit: (...args) => reach(() => inner.commit(...args)),
    destroy: (...args) => reach(() => inner.destroy(...args)),
    sweep: (...args) => reach(() => inner.sweep(...args)),
  };
  return Object.assign(self, { driver });
}

function map({ userId, cart }: Old, session: Session): void {
  if (userId !== undefined) session.login(userId);
  if (cart) session.store("cart").set("items", cart);
}

const told = (of: Session): string =>
  `${of.principal ?? "nobody"}: ${(of.store<{ items: string[] }>("cart").get("items") ?? []).join()}`;

interface Case {
  /** The cookie that the old library makes. */
  make(data?: Old): Promise<string>;
  adopt(driver: Driver, until?: Date): Adopt;
  readonly ended: readonly string[];
}

const withCookieSession =
  (keys: string[]) =>
  (data: Old = ADA) => {
    const app = express();
    app.use(cookieSession({ keys }));
    app.get("/", (req, res) => {
      Object.assign(Reflect.get(req, "session"), data);
      res.end();
    });
    return visit(app);
  };

const koaStores = new Map<string, object>();
const koaStore = {
  get: async (key: string, _maxAge: unknown, { rolling }: { rolling?: unknown }) =>
    rolling === undefined ? undefined : koaStores.get(key),
  set: async (key: string, data: object) => void koaStores.set(key, data),
  destroy: async (key: string) => void koaStores.delete(key),
};
const withKoa =
  (options: object) =>
  (data: Old = ADA) => {
    const app = new Koa();
    app.keys = KEYS;
    app.use(createSession(options, app));
    app.use((ctx) => {
      Object.assign(Reflect.get(ctx, "session"), data);
      ctx.body = "";
    });
    return visit(app.callback());
  };

const fastifyStore = new fastifySession.MemoryStore();
const SECRET = "a secret of the old site with thirty-two characters";

const cases: Record<string, Case> = {
  "cookie-session": {
    make: withCookieSession(KEYS),
    adopt: (driver, until = UNTIL) => adoptCookieSession({ keys: KEYS, driver, until, map }),
    ended: ["session", "session.sig"],
  },
  "iron-session 9": {
    make: async (data = ADA) => `site=${await sealData(data, { password: PASSWORDS })}`,
    adopt: (driver, until = UNTIL) =>
      adoptIronSession({ password: PASSWORDS, cookieName: "site", driver, until, map }),
    ended: ["site"],
  },
  "iron-session 8": {
    make: async (data = ADA) => `site=${await sealData8(data, { password: PASSWORDS[1] })}`,
    adopt: (driver, until = UNTIL) =>
      adoptIronSession({ password: PASSWORDS, cookieName: "site", driver, until, map }),
    ended: ["site"],
  },
  "koa-session": {
    make: withKoa({}),
    adopt: (driver, until = UNTIL) => adoptKoaSession({ keys: KEYS, driver, until, map }),
    ended: ["koa.sess", "koa.sess.sig"],
  },
  "koa-session with a store": {
    make: withKoa({ store: koaStore }),
    adopt: (driver, until = UNTIL) => adoptKoaSession({ keys: KEYS, store: koaStore, driver, until, map }),
    ended: ["koa.sess", "koa.sess.sig"],
  },
  "@fastify/session": {
    async make(data = ADA) {
      const app = createFastify();
      await app.register(fastifyCookie);
      await app.register(fastifySession, { secret: SECRET, store: fastifyStore, cookie: { secure: false } });
      app.get("/", async (request) => {
        Object.assign(request.session, data);
        return "";
      });
      await app.ready();
      return visit(app.routing);
    },
    adopt: () => adoptFastifySession({ store: fastifyStore, secret: SECRET, map }),
    ended: ["sessionId"],
  },
  "React Router's cookie storage": {
    async make(data = ADA) {
      const storage = createCookieSessionStorage({ cookie: { secrets: KEYS } });
      const session = await storage.getSession();
      for (const [key, value] of Object.entries(data)) session.set(key, value);
      return cookieOf([await storage.commitSession(session)]);
    },
    adopt: (driver, until = UNTIL) => adoptReactRouterSession({ secrets: KEYS, driver, until, map }),
    ended: ["__session"],
  },
};

interface Answer {
  readonly text: string;
  readonly cookies: readonly string[];
}

/** A site on ours, over the Fetch API. `handle` runs before it tells who the visitor is. */
function site(driver: Driver, adopt: Adopt, handle: () => unknown = () => undefined) {
  const sessions = createSessionManager({ driver });
  return async (cookie: string): Promise<Answer> => {
    const request = new Request("http://localhost/", { headers: { cookie } });
    const response = await withSession(
      sessions,
      request,
      async (session) => {
        await handle();
        return new Response(told(session));
      },
      { adopt },
    );
    return { text: await response.text(), cookies: response.headers.getSetCookie() };
  };
}

const namesOf = (cookies: readonly string[]): unknown => cookies.map((one) => one.split("=", 1)[0]);

describe.each(Object.entries(cases))("a session of %s", (_, { make, adopt, ended }) => {
  test("becomes one of ours: login and cart stay, and the cookies change places", async () => {
    const { driver } = backend();
    const ask = site(driver, adopt(driver));
    const first = await ask(await make());
    expect(first.text).toBe("ada: tea");
    expect(namesOf(first.cookies)).toEqual([...ended, "sid"]);
    for (const old of first.cookies.slice(0, -1)) expect(old).toMatch(/=; Path=\/; Max-Age=0/);
    expect(await ask(cookieOf(first.cookies))).toEqual({ text: "ada: tea", cookies: [] });
  });

  test("becomes one of ours under Express", async () => {
    const { driver } = backend();
    const app = express();
    app.use(sessionMiddleware(createSessionManager({ driver }), { adopt: adopt(driver) }));
    app.get("/", (req, res) => void res.send(told(Reflect.get(req, "session") as Session)));
    const response = await fetch(await listen(app), { headers: { cookie: await make() } });
    expect(await response.text()).toBe("ada: tea");
    expect(namesOf(response.headers.getSetCookie())).toEqual([...ended, "sid"]);
  });

  test("is adopted once: a copied cookie opens nothing, in another manager either", async () => {
    const { driver } = backend();
    const cookie = await make();
    const ask = site(driver, adopt(driver));
    await ask(cookie);
    for (const either of [ask, site(driver, adopt(driver))])
      expect(await either(cookie)).toEqual({ text: "nobody: ", cookies: [] });
  });

  test("belongs to its user in both of two requests that overlap", async () => {
    const { driver } = backend();
    const cookie = await make();
    let count = 0;
    let open = (): void => undefined;
    const both = new Promise<void>((resolve) => {
      open = resolve;
    });
    const ask = site(driver, adopt(driver), () => {
      if (++count === 2) open();
      return both;
    });
    const answers = await Promise.all([ask(cookie), ask(cookie)]);
    expect(answers.map(({ text }) => text)).toEqual(["ada: tea", "ada: tea"]);
    expect(answers.map(({ cookies }) => cookies.length).sort()).toEqual([0, ended.length + 1]);
  });

  test("stays where our backend is down: an error, and the next request adopts", async () => {
    const ours = backend();
    const cookie = await make();
    const ask = site(ours.driver, adopt(ours.driver));
    ours.down = true;
    await expect(ask(cookie)).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    ours.down = false;
    expect((await ask(cookie)).text).toBe("ada: tea");
  });

  test("stays good if the handler throws, so that no response can carry the new cookie", async () => {
    const { driver } = backend();
    const cookie = await make();
    let isBroken = true;
    const ask = site(driver, adopt(driver), () => {
      if (isBroken) throw new Error("a bug of the site's");
    });
    await expect(ask(cookie)).rejects.toThrow("a bug of the site's");
    isBroken = false;
    expect((await ask(cookie)).text).toBe("ada: tea");
    expect((await ask(cookie)).text).toBe("nobody: ");
  });

  test("is not adopted if a character of its cookies was changed, and that costs no call", async () => {
    const ours = backend();
    const take = adopt(ours.driver);
    const cookie = await make();
    const at = cookie.indexOf("=") + 12;
    const other = `${cookie.slice(0, at)}${cookie[at] === "A" ? "B" : "A"}${cookie.slice(at + 1)}`;
    for (const bad of [other, "x".repeat(100_000), "", `${ended[0]}=%E0%A4%A`, `${ended[0]}=__proto__`])
      expect(await take(bad)).toBeUndefined();
    expect(ours.calls).toBe(0);
  });
});

const inCookies = Object.entries(cases).filter(([name]) => name !== "@fastify/session");

describe.each(inCookies)("a cookie of %s", (_, { make, adopt, ended }) => {
  test("is adopted by one of two managers at the same moment", async () => {
    const { driver } = backend();
    const cookie = await make();
    const other: Driver = { ...driver };
    const [one, two] = [await adopt(driver)(cookie), await adopt(other)(cookie)];
    expect([one?.state, two?.state]).toEqual(["live", "live"]);
    expect(await Promise.all([one?.end("1".repeat(32)), two?.end("2".repeat(32))])).toEqual([true, false]);
  });

  test("is not adopted after `until`, and two minutes after it was adopted it ends", async () => {
    const ours = backend();
    const cookie = await make();
    expect(await adopt(ours.driver, new Date(Date.now() - 1))(cookie)).toBeUndefined();
    expect(ours.calls).toBe(0);
    const ask = site(ours.driver, adopt(ours.driver));
    await ask(cookie);
    vi.useFakeTimers({ now: Date.now() + 120_000, toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const late = await ask(cookie);
    expect(late.text).toBe("nobody: ");
    expect(namesOf(late.cookies)).toEqual(ended);
  });

  test("is adopted where the driver's answer was lost, but its work was done", async () => {
    const ours = backend();
    const found = await adopt(ours.driver)(await make());
    ours.lost = true;
    expect(await found?.end("1".repeat(32))).toBe(true);
  });
});

test("cookies that an older key signed are adopted", async () => {
  const { driver } = backend();
  const cookie = await withCookieSession(KEYS.slice(1))();
  const adopt = adoptCookieSession({ keys: KEYS, driver, until: UNTIL, map });
  expect((await site(driver, adopt)(cookie)).text).toBe("ada: tea");
});

test("another spelling of a seal's signature or version is the same cookie", async () => {
  const { driver } = backend();
  const password = PASSWORDS[2];
  const seal = await sealData(ADA, { password });
  const ask = site(driver, adoptIronSession({ password, cookieName: "site", driver, until: UNTIL, map }));
  expect((await ask(`site=${seal}`)).text).toBe("ada: tea");
  const [text = ""] = seal.split("~");
  for (const spelling of [text, `${text}=~2`, `${seal}~3`, encodeURIComponent(seal)])
    expect((await ask(`site=${spelling}`)).text).toBe("nobody: ");
});

test("another spelling of a React Router cookie is the same cookie", async () => {
  const { driver } = backend();
  const { make, adopt } = cases["React Router's cookie storage"] ?? {};
  const cookie = (await make?.()) ?? "";
  const value = decodeURIComponent(cookie.slice(cookie.indexOf("=") + 1));
  const ask = adopt && site(driver, adopt(driver));
  expect((await ask?.(cookie))?.text).toBe("ada: tea");
  const escaped = [...value].map((one) => `%${one.charCodeAt(0).toString(16)}`).join("");
  for (const spelling of [value, escaped, `${value}=`, `${value}%3D`, `${value}%20`])
    expect((await ask?.(`__session=${spelling}`))?.text).toBe("nobody: ");
});

test("expired cookies cost no call, and are not adopted", async () => {
  const ours = backend();
  const cookies = [await cases["koa-session"]?.make(), await cases["iron-session 9"]?.make()];
  vi.useFakeTimers({ now: Date.now() + 15 * 86_400_000, toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  for (const [at, name] of ["koa-session", "iron-session 9"].entries())
    expect(await cases[name]?.adopt(ours.driver)(cookies[at])).toBeUndefined();
  expect(ours.calls).toBe(0);
});

test.each(["cookie-session", "koa-session", "koa-session with a store"])(
  "%s: a signature that was changed, left out or made for another cookie is none",
  async (library) => {
    const ours = backend();
    const { make, adopt, ended = [] } = cases[library] ?? {};
    const cookie = (await make?.()) ?? "";
    const [pair = "", signature = ""] = cookie.split("; ");
    const [, of = ""] = (await make?.({ userId: "bob" }))?.split("; ") ?? [];
    const last = signature.at(-1) === "A" ? "Q" : "A";
    for (const bad of [
      signature.slice(0, -1),
      signature.slice(0, -1) + last,
      `${signature}A`,
      of,
      `${ended[1]}=`,
    ])
      expect(await adopt?.(ours.driver)(`${pair}; ${bad}`)).toBeUndefined();
    expect(await adopt?.(ours.driver)(pair)).toBeUndefined();
    expect(ours.calls).toBe(0);
    expect(await adopt?.(ours.driver)(cookie)).toMatchObject({ state: "live" });
  },
);

test("unknown and wrong options are refused by name", () => {
  const { driver } = backend();
  const right = { keys: KEYS, driver, until: UNTIL, map };
  expect(() => adoptCookieSession({ ...right, ...{ kays: [] } })).toThrow(/kays/);
  for (const [option, value] of Object.entries({ keys: [], driver: {}, until: new Date(Number.NaN), map: 1 }))
    expect(() => Reflect.apply(adoptKoaSession, undefined, [{ ...right, [option]: value }])).toThrow(option);
});
