import { memoryDriver } from "@sessions/core/memory";
import express, { type Express } from "express";
import expressSession from "express-session";
import { describe, expect, onTestFinished, test } from "vitest";
import dropIn, { expressSessionStore, type SessionOptions, sessionOf } from "../../src/index.ts";
import { appOn as expressSessionOn, meeting, visit } from "../support.ts";
import { appOn, secret, serve, set, show } from "./support.ts";

const { Store } = expressSession;

/** The handlers of both libraries' applications. */
const routes = { "/set": set, "/show": show } as const;

/** Asks several applications as one visitor, as after a deployment. */
async function visitor(...apps: Express[]) {
  const urls = await Promise.all(apps.map((app) => serve(app, routes)));
  let cookie = "";
  return async (at: number, path: string) => {
    const response = await fetch(`${urls[at]}${path}`, { headers: { cookie } });
    const [setCookie] = response.headers.getSetCookie();
    if (setCookie) cookie = setCookie.split(";", 1)[0] ?? "";
    return response.text();
  };
}

describe("there and back: express-session with expressSessionStore(driver) has the same sessions", () => {
  test.each([undefined, { maxAge: 600_000 }])("cookie: %o", async (cookie) => {
    const driver = memoryDriver();
    const options = cookie && { cookie };
    const { app, sessions } = appOn(driver, options);
    const ask = await visitor(expressSessionOn(driver, { secret, ...options }), app);
    await ask(0, "/set?user=anna");
    expect(await ask(1, "/show")).toBe('{"user":"anna"}');
    await ask(1, "/set?lang=de");
    await ask(0, "/set?user=bert");
    expect(JSON.parse(await ask(1, "/show"))).toEqual({ user: "bert", lang: "de" });
    expect(JSON.parse(await ask(0, "/show"))).toEqual({ user: "bert", lang: "de" });
    const ids: string[] = [];
    for await (const { id, stores } of sessions.list()) ids.push(`${id.length} ${stores}`);
    expect(ids).toEqual(["32 express-session"]);
  });

  test("a session that the drop-in began goes on in express-session", async () => {
    const driver = memoryDriver();
    const ask = await visitor(appOn(driver).app, expressSessionOn(driver, { secret }));
    await ask(0, "/set?user=anna");
    expect(await ask(1, "/show")).toBe('{"user":"anna"}');
    await ask(1, "/set?user=bert");
    expect(await ask(0, "/show")).toBe('{"user":"bert"}');
  });

  test("log out everywhere reaches a session of before, once its visitor has come", async () => {
    const driver = memoryDriver();
    const { app, sessions } = appOn(driver, { principal: ({ user }) => user });
    const ask = await visitor(expressSessionOn(driver, { secret }), app);
    await ask(0, "/set?user=anna");
    await ask(1, "/show");
    expect(await sessions.destroyAll({ principal: "anna" })).toBe(1);
    expect(await ask(1, "/show")).toBe("{}");
  });

  const principal: SessionOptions["principal"] = ({ user }) => user;
  test.each([
    ["the options here count", {}, { principal }],
    ["its own options count where none is given here", { principal }, {}],
  ])("a store that expressSessionStore made is taken as its driver: %s", async (_, its, here) => {
    const driver = memoryDriver();
    const store = expressSessionStore(driver, { Store, ...its });
    const middleware = dropIn({ secret, saveUninitialized: false, store, ...here });
    const ask = await visitor(express().use(middleware), appOn(driver).app);
    await ask(0, "/set?user=anna");
    expect(await ask(1, "/show")).toBe('{"user":"anna"}');
    expect(await middleware.sessions.destroyAll({ principal: "anna" })).toBe(1);
  });
});

describe("store: as express-session", () => {
  const heard: string[] = [];
  const hear = ({ message }: Error): void => void heard.push(message);

  function appOver(store: InstanceType<typeof dropIn.MemoryStore>, options: SessionOptions = {}): Express {
    process.on("warning", hear);
    onTestFinished(() => void process.off("warning", hear));
    return express().use(dropIn({ secret, resave: false, saveUninitialized: false, store, ...options }));
  }

  test("its sessions are express-session's, there and back, and one warning says what a store does not promise", async () => {
    const store = new expressSession.MemoryStore();
    const theirs = express().use(expressSession({ secret, resave: false, saveUninitialized: false, store }));
    const ask = await visitor(theirs, appOver(store as never));
    await ask(0, "/set?user=anna");
    expect(await ask(1, "/show")).toBe('{"user":"anna"}');
    await ask(1, "/set?lang=de");
    expect(JSON.parse(await ask(0, "/show"))).toEqual({ user: "anna", lang: "de" });
    expect(heard.filter((message) => message.startsWith("session({ store })"))).toHaveLength(1);
  });

  test("what needs a driver says so", async () => {
    const middleware = dropIn({ secret, store: new dropIn.MemoryStore() });
    expect(() => middleware.sessions).toThrow(expect.objectContaining({ code: "ERR_SESSION_UNSUPPORTED" }));
    const app = express().use(middleware);
    const url = await serve(app, { "/": (req, res) => void res.json(sessionOf(req).id) });
    expect((await visit(url).get("/")).body).toMatch(/needs session\(\{ driver \}\)/);
    expect(() => dropIn({ secret, store: new dropIn.MemoryStore(), idle: "1h" })).toThrow(
      /idle needs driver/,
    );
  });

  test("requests that overlap lose keys there: it is what a driver is for", async () => {
    const met = meeting(2);
    const app = appOver(new dropIn.MemoryStore());
    const url = await serve(app, {
      ...routes,
      "/add/:key": async (req, res) => {
        await met();
        req.session[req.params["key"] as string] = 1;
        res.end();
      },
    });
    const one = visit(url);
    await one.get("/set?first=1");
    await Promise.all([one.get("/add/a"), one.get("/add/b")]);
    expect(Object.keys(JSON.parse((await one.get("/show")).body))).toHaveLength(2);
  });

  test("a store that inherits as it was done before classes", async () => {
    function OldStore(this: object): void {
      Reflect.apply(dropIn.Store as never, this, []);
    }
    Object.setPrototypeOf(OldStore.prototype, dropIn.Store.prototype);
    expect(Reflect.construct(OldStore, [])).toBeInstanceOf(dropIn.Store);
  });
});
