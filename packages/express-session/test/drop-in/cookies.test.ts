import { memoryDriver } from "@sessions/core/memory";
import type { RequestHandler } from "express";
import { describe, expect, test, vi } from "vitest";
import { HOUR, visit } from "../support.ts";
import { appOn, serve, set, show, watched } from "./support.ts";

const expiresOf = (setCookie = ""): string | undefined => /Expires=([^;]+)/.exec(setCookie)?.[1];

describe("the cookie", () => {
  test("remember me: one session lives longer than others, and its cookie with it", async () => {
    const driver = memoryDriver();
    const { app } = appOn(driver, { cookie: { maxAge: HOUR } });
    const url = await serve(app, {
      "/login": (req, res) => {
        req.session.cookie.maxAge = 30 * 24 * HOUR;
        req.session["user"] = "anna";
        res.end();
      },
      "/age": (req, res) => void res.json(req.session.cookie.originalMaxAge),
      "/set": set,
    });
    const anna = visit(url);
    const { setCookie } = await anna.get("/login");
    expect(Date.parse(expiresOf(setCookie) ?? "")).toBeGreaterThan(Date.now() + 29 * 24 * HOUR);
    expect(Number((await anna.get("/age")).body)).toBe(30 * 24 * HOUR);
    const again = await anna.get("/set?a=1");
    expect(Date.parse(expiresOf(again.setCookie) ?? "")).toBeGreaterThan(Date.now() + 29 * 24 * HOUR);
    const [record] = (await driver.list({ limit: 2 }, Date.now())).records;
    expect(record?.expiresAt).toBeGreaterThan(Date.now() + 29 * 24 * HOUR);
    expect(expiresOf((await visit(url).get("/set?a=1")).setCookie)).toBeDefined();
  });

  test("forget me: expires = false makes the cookie end with the browser", async () => {
    const { app } = appOn(memoryDriver(), { cookie: { maxAge: HOUR } });
    const url = await serve(app, {
      "/set": set,
      "/forget": (req, res) => {
        Reflect.set(req.session.cookie, "expires", false);
        req.session["user"] = "anna";
        res.end();
      },
    });
    const anna = visit(url);
    expect(expiresOf((await anna.get("/set?a=1")).setCookie)).toBeDefined();
    const { setCookie } = await anna.get("/forget");
    expect(setCookie).toMatch(/^connect\.sid=/);
    expect(expiresOf(setCookie)).toBeUndefined();
  });

  test("rolling sends it with every response; without it only for what is new, or changed with a maxAge", async () => {
    for (const [options, sent] of [
      [{ rolling: true }, [true, true, true]],
      [{}, [true, false, false]],
      [{ cookie: { maxAge: HOUR } }, [true, false, true]],
    ] as const) {
      const { app } = appOn(memoryDriver(), options);
      const visitor = visit(await serve(app, { "/set": set, "/show": show }));
      const was: boolean[] = [];
      for (const path of ["/set?a=1", "/show", "/set?a=2"])
        was.push((await visitor.get(path)).setCookie !== undefined);
      expect(was).toEqual(sent);
    }
  });

  test("a session in use goes on, and its expiry is written at most each tenth of its life", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    try {
      const { driver, calls } = watched(memoryDriver());
      const { app } = appOn(driver, { cookie: { maxAge: 60_000 } });
      const visitor = visit(await serve(app, { "/set": set, "/show": show }));
      await visitor.get("/set?a=1");
      calls.length = 0;
      for (let n = 0; n < 100; n++) {
        vi.advanceTimersByTime(2_000);
        expect((await visitor.get("/show")).body).toBe('{"a":"1"}');
      }
      expect(calls.filter((call) => call === "commit")).toHaveLength(33);
      vi.advanceTimersByTime(60_001);
      expect((await visitor.get("/show")).body).toBe("{}");
    } finally {
      vi.useRealTimers();
    }
  });

  test("a new secret signs, and the old ones still open", async () => {
    const driver = memoryDriver();
    const cookies: string[] = [];
    const ask = async (secret: string[], path: string, cookie = ""): Promise<string> => {
      const url = await serve(appOn(driver, { secret }).app, { "/set": set, "/show": show });
      const response = await fetch(url + path, { headers: { cookie } });
      cookies.push(...response.headers.getSetCookie());
      return response.text();
    };
    await ask(["old secret"], "/set?user=anna");
    const [cookie = ""] = cookies;
    expect(await ask(["new secret", "old secret"], "/show", cookie)).toBe('{"user":"anna"}');
    expect(await ask(["new secret"], "/show", cookie)).toBe("{}");
  });

  test("is only sent over https where it is Secure, and `auto` is as the request came", async () => {
    for (const [secure, proxied, sent] of [
      [true, false, false],
      [true, true, true],
      ["auto", true, true],
    ] as const) {
      const { app } = appOn(memoryDriver(), { cookie: { secure } });
      app.set("trust proxy", true);
      const url = await serve(app, { "/set": set });
      const response = await fetch(`${url}/set?a=1`, {
        headers: proxied ? { "X-Forwarded-Proto": "https" } : {},
      });
      expect(response.headers.getSetCookie().map((cookie) => cookie.includes("Secure"))).toEqual(
        sent ? [true] : [],
      );
    }
  });
});

test("a cookie without Secure over https is a warning", async () => {
  const { app } = appOn(memoryDriver());
  app.set("trust proxy", true);
  const url = await serve(app, { "/set": set });
  const heard: string[] = [];
  const hear = ({ message }: Error): void => void heard.push(message);
  process.on("warning", hear);
  await fetch(`${url}/set?a=1`, { headers: { "X-Forwarded-Proto": "https" } });
  process.off("warning", hear);
  expect(heard).toEqual([expect.stringContaining("connect.sid lacks Secure")]);
});

describe("ids", () => {
  test("an id that genid has returned before gets the data of the new session, and no other error", async () => {
    const { app } = appOn(memoryDriver(), { genid: (req) => String(req.headers["x-id"] ?? "apple") });
    const url = await serve(app, { "/set": set, "/show": show });
    await visit(url).get("/set?a=1");
    const second = visit(url);
    expect((await second.get("/set?b=2")).setCookie).toMatch(/^connect\.sid=s%3Aapple\./);
    expect((await second.get("/show")).body).toBe('{"b":"2"}');
  });

  test("regenerate gives another id, and ends the old one", async () => {
    const { app, sessions } = appOn(memoryDriver());
    const ids: string[] = [];
    const url = await serve(app, {
      "/set": (req, res) => {
        ids.push(req.sessionID);
        req.session["a"] = 1;
        res.end();
      },
      "/regenerate": (req, res) => {
        const { session } = req;
        req.session.regenerate(async (error) => {
          ids.push(req.sessionID, req.session.id);
          req.session["b"] = 2;
          await req.session.save();
          res.json([error, session === req.session, req.session]);
        });
      },
      "/show": show,
    });
    const visitor = visit(url);
    await visitor.get("/set");
    const { body } = await visitor.get("/regenerate");
    expect(JSON.parse(body)).toEqual([null, false, expect.objectContaining({ b: 2 })]);
    expect(new Set(ids).size).toBe(2);
    expect(await sessions.load(ids[0] ?? "")).toBeUndefined();
    expect((await visitor.get("/show")).body).toBe('{"b":2}');
  });
});

describe("req.session", () => {
  const ended: RequestHandler = (req, res) => {
    req.session = null as never;
    res.end();
  };

  test("set to null ends the session with unset: destroy, and leaves it otherwise", async () => {
    for (const [unset, body] of [
      ["destroy", "{}"],
      ["keep", '{"a":"1"}'],
    ] as const) {
      const { app } = appOn(memoryDriver(), { unset });
      const visitor = visit(await serve(app, { "/set": set, "/null": ended, "/show": show }));
      await visitor.get("/set?a=1");
      expect((await visitor.get("/null")).setCookie).toBeUndefined();
      expect((await visitor.get("/show")).body).toBe(body);
    }
  });

  test("reload reads it again into a new object, and drops what was changed", async () => {
    const { app } = appOn(memoryDriver());
    const url = await serve(app, {
      "/set": set,
      "/reload": async (req, res) => {
        const { session } = req;
        Object.assign(session, { a: 2, b: 2 });
        // Its types know no promise.
        await Reflect.apply(session.reload, session, []);
        res.json([session === req.session, req.session["a"], req.session["b"]]);
      },
      "/gone": (req, res) => {
        req.sessionStore.destroy(req.sessionID, () => {
          req.session.reload((error) => res.send(String(error)));
        });
      },
    });
    const visitor = visit(url);
    await visitor.get("/set?a=1");
    expect((await visitor.get("/reload")).body).toBe('[false,"1",null]');
    expect((await visitor.get("/gone")).body).toBe("Error: failed to load session");
  });

  test("save stores at once, and gives a promise where no callback comes", async () => {
    const driver = memoryDriver();
    const { app } = appOn(driver);
    const url = await serve(app, {
      "/save": async (req, res) => {
        req.session["a"] = 1;
        await req.session.save();
        res.json((await driver.list({ limit: 2 }, Date.now())).records.length);
      },
      "/empty": (req, res) => void req.session.save(() => res.end()),
    });
    expect((await visit(url).get("/save")).body).toBe("1");
    expect((await visit(url).get("/empty")).setCookie).toBeDefined();
  });

  test("saveUninitialized stores sessions that hold nothing", async () => {
    for (const [saveUninitialized, calls] of [
      [true, ["create"]],
      [false, []],
    ] as const) {
      const spied = watched(memoryDriver());
      const { app } = appOn(spied.driver, { saveUninitialized });
      const { setCookie } = await visit(await serve(app, { "/show": show })).get("/show");
      expect(setCookie !== undefined).toBe(saveUninitialized);
      expect(spied.calls).toEqual(calls);
    }
  });

  test("what is changed while the body goes out is stored before it ends", async () => {
    const { app } = appOn(memoryDriver());
    const url = await serve(app, {
      "/set": set,
      "/stream": async (req, res) => {
        res.write("a");
        await new Promise((resolve) => setTimeout(resolve, 20));
        req.session["late"] = 1;
        res.end("b");
      },
      "/show": show,
    });
    const visitor = visit(url);
    await visitor.get("/set?a=1");
    expect((await visitor.get("/stream")).body).toBe("ab");
    expect((await visitor.get("/show")).body).toBe('{"a":"1","late":1}');
  });

  test("an object of the application in its place is an error that says what to do", async () => {
    const { app } = appOn(memoryDriver());
    const url = await serve(app, {
      "/own": (req, res) => {
        req.session = { user: "anna" } as never;
        res.end();
      },
    });
    expect(await visit(url).get("/own")).toMatchObject({
      status: 500,
      body: expect.stringContaining("regenerate()"),
    });
  });
});
