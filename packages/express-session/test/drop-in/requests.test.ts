import { once } from "node:events";
import { isSessionError } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { redisDriver } from "@sessions/driver-redis";
import { service } from "@sessions/test-services";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { sessionOf } from "../../src/index.ts";
import { meeting, visit } from "../support.ts";
import { appOn, serve, set, show, watched } from "./support.ts";

const redis = service("redis");

let namespaces = 0;
const backends = {
  memory: async () => memoryDriver(),
  async redis() {
    const client = createClient({ url: redis?.url ?? "" });
    await client.connect();
    onTestFinished(() => client.destroy());
    return redisDriver({ client, prefix: `drop-in-${process.pid}-${namespaces++}:` });
  },
};

for (const [name, open] of Object.entries(backends))
  describe.skipIf(name === "redis" && !redis)(`on ${name}`, () => {
    test("overlapping requests that write different keys all survive", async () => {
      const { app } = appOn(await open());
      const met = meeting(8);
      const url = await serve(app, {
        "/begin": set,
        "/show": show,
        "/add/:key": async (req, res) => {
          await met();
          req.session[req.params["key"] as string] = { at: [1] };
          res.end();
        },
      });
      const visitor = visit(url);
      await visitor.get("/begin?first=1");
      await Promise.all(Array.from({ length: 8 }, (_, at) => visitor.get(`/add/k${at}`)));
      const { body } = await visitor.get("/show");
      expect(Object.keys(JSON.parse(body)).sort()).toEqual([
        "first",
        ..."01234567".split("").map((n) => `k${n}`),
      ]);
    });

    test("a logout is not undone by a request that writes after it", async () => {
      const { app, sessions } = appOn(await open());
      const met = meeting(2);
      const url = await serve(app, {
        "/begin": set,
        "/show": show,
        "/slow": async (req, res) => {
          await met();
          await loggedOut;
          req.session["late"] = true;
          res.end();
        },
        "/logout": async (req, res) => {
          await met();
          await req.session.destroy(() => res.end(String(req.session)));
        },
      });
      let done = (): void => {};
      const loggedOut = new Promise<void>((resolve) => {
        done = resolve;
      });
      const visitor = visit(url);
      await visitor.get("/begin?user=anna");
      const slow = visitor.get("/slow");
      expect((await visitor.get("/logout")).body).toBe("undefined");
      done();
      expect(await slow).toMatchObject({ status: 200, setCookie: undefined });
      expect((await visitor.get("/show")).body).toBe("{}");
      for await (const one of sessions.list()) expect(one).toBeUndefined();
    });

    test("two logins at once both hold, each with its own cookie", async () => {
      const { app } = appOn(await open());
      const met = meeting(2);
      const url = await serve(app, {
        "/begin": set,
        "/show": show,
        "/login": async (req, res) => {
          await met();
          await req.session.regenerate(() => {
            req.session["user"] = "anna";
            res.end();
          });
        },
      });
      const begun = (await visit(url).get("/begin?cart=tea")).setCookie?.split(";", 1)[0] ?? "";
      const logins = await Promise.all(
        [1, 2].map(() => fetch(`${url}/login`, { headers: { cookie: begun } })),
      );
      for (const { headers } of logins) {
        const cookie = headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
        expect(await (await fetch(`${url}/show`, { headers: { cookie } })).text()).toBe('{"user":"anna"}');
      }
    });

    test("a new session that is saved after the response is an error of save(), and not forgotten", async () => {
      const { app } = appOn(await open());
      let saved: unknown;
      const url = await serve(app, {
        "/late": async (req, res) => {
          res.end();
          await once(res, "finish");
          req.session["user"] = "anna";
          req.session.save((error) => {
            saved = error;
          });
        },
      });
      await visit(url).get("/late");
      await vi.waitFor(() => expect(saved).toMatchObject({ code: "ERR_SESSION_HEADERS_SENT" }));
    });

    test("a redirect finds what was written right before it", async () => {
      const { app } = appOn(await open());
      const url = await serve(app, {
        "/write": (req, res) => {
          req.session["note"] = req.query["note"];
          res.redirect("/show");
        },
        "/show": show,
      });
      const visitor = visit(url);
      for (let n = 0; n < 20; n++) {
        expect((await visitor.get(`/write?note=${n}`)).status).toBe(302);
        expect((await visitor.get("/show")).body).toBe(`{"note":"${n}"}`);
      }
    });

    test("log out everywhere ends the sessions of one user, by Passport's key or by `principal`", async () => {
      const { app, sessions } = appOn(await open());
      const url = await serve(app, {
        "/login/:user": (req, res, next) =>
          req.session.regenerate((error) => {
            if (error) return next(error);
            req.session["passport"] = { user: req.params["user"] };
            req.session.save(() => res.end());
          }),
        "/logout": (req, res) => {
          req.session["passport"] = undefined;
          res.end();
        },
        "/show": show,
      });
      const [one, two, bert] = [visit(url), visit(url), visit(url)];
      await one.get("/login/anna");
      await two.get("/login/anna");
      await bert.get("/login/7");
      expect(await sessions.destroyAll({ principal: "anna" })).toBe(2);
      expect((await one.get("/show")).body).toBe("{}");
      expect((await two.get("/show")).body).toBe("{}");
      expect((await bert.get("/show")).body).toBe('{"passport":{"user":"7"}}');
      await bert.get("/logout");
      expect(await sessions.destroyAll({ principal: "7" })).toBe(0);
    });
  });

test("a request that changes nothing writes nothing", async () => {
  const { driver, calls } = watched(memoryDriver());
  const { app } = appOn(driver, { resave: true, cookie: { maxAge: 60_000 } });
  const url = await serve(app, { "/set": set, "/show": show });
  const visitor = visit(url);
  await visitor.get("/set?a=1");
  calls.length = 0;
  await visitor.get("/show");
  await visitor.get("/set?a=1");
  expect(calls).toEqual(["load", "load"]);
});

test("only the keys that changed are written, also inside of a value", async () => {
  const inner = memoryDriver();
  const written: string[][] = [];
  const { driver } = watched(inner);
  const spied = new Proxy(driver, {
    get(target, key) {
      if (key !== "commit") return Reflect.get(target, key);
      return (id: string, change: { fields: Map<string, unknown> }, now: number) => {
        written.push([...change.fields.keys()]);
        return inner.commit(id, change as never, now);
      };
    },
  });
  const { app } = appOn(spied);
  const url = await serve(app, {
    "/begin": (req, res) => {
      Object.assign(req.session, { cart: { items: [] }, at: new Date(0), lang: "de", gone: 1 });
      res.end();
    },
    "/change": (req, res) => {
      const { session } = req;
      (session["cart"] as { items: string[] }).items.push("tea");
      delete session["gone"];
      res.end(String(session["at"]));
    },
    "/show": show,
  });
  const visitor = visit(url);
  await visitor.get("/begin");
  expect((await visitor.get("/change")).body).toBe("1970-01-01T00:00:00.000Z");
  expect(written).toEqual([["express-session/cart", "express-session/gone", "/fixed"]]);
  expect(JSON.parse((await visitor.get("/show")).body)).toEqual({
    cart: { items: ["tea"] },
    at: "1970-01-01T00:00:00.000Z",
    lang: "de",
  });
});

test("a failed commit is an error page, without the cookie and the headers of the handler", async () => {
  const { driver, down } = watched(memoryDriver());
  const { app } = appOn(driver);
  const url = await serve(app, { "/set": set, "/show": show });
  down.add("create");
  expect(await visit(url).get("/set?a=1")).toMatchObject({ status: 500, setCookie: undefined });
  down.clear();
  const visitor = visit(url);
  await visitor.get("/set?a=1");
  down.add("commit");
  expect((await visitor.get("/set?a=2")).status).toBe(500);
  down.clear();
  expect((await visitor.get("/show")).body).toBe('{"a":"1"}');
  down.add("load");
  expect(await visitor.get("/show")).toMatchObject({ status: 500, setCookie: undefined });
});

test("nothing in the backend opens a session", async () => {
  const driver = memoryDriver();
  const { app, sessions } = appOn(driver, { name: "sid" });
  let sid = "";
  const url = await serve(app, {
    "/set": (req, res) => {
      sid = req.sessionID;
      req.session["user"] = "anna";
      res.end();
    },
  });
  await visit(url).get("/set");
  const { records } = await driver.list({ limit: 10 }, Date.now());
  const text = JSON.stringify(records.map(({ fields, ...record }) => [record, [...fields]]));
  expect(records).toHaveLength(1);
  expect(text).not.toContain(sid);
  expect((await sessions.load(sid))?.store("express-session").get("user")).toBe("anna");
  expect(await sessions.load(records[0]?.id ?? "")).toBeUndefined();
});

test("a request that comes late with the cookie of a session that a login has replaced stores nothing", async () => {
  const { app, sessions } = appOn(memoryDriver(), { saveUninitialized: true });
  const url = await serve(app, {
    "/set": set,
    "/login": async (req, res) => {
      await req.session.regenerate(() => {
        req.session["user"] = "anna";
        res.end();
      });
    },
  });
  const visitor = visit(url);
  const { setCookie = "" } = await visitor.get("/set?a=1");
  const [old = ""] = setCookie.split(";");
  await visitor.get("/login");
  const late = await fetch(`${url}/set?a=2`, { headers: { cookie: old } });
  expect(late.status).toBe(200);
  expect(late.headers.getSetCookie()).toEqual([]);
  const users: unknown[] = [];
  for await (const { id } of sessions.list())
    users.push((await sessions.get(id))?.store("express-session").get("user"));
  expect(users).toEqual(["anna"]);
});

test("after a logout that begins no session, the old cookie does not keep the visitor from beginning one", async () => {
  const { app } = appOn(memoryDriver());
  const url = await serve(app, {
    "/set": set,
    "/show": show,
    "/destroy": (req, res) => void req.session.destroy(() => res.end()),
    "/regenerate": (req, res) => void req.session.regenerate(() => res.end()),
  });
  for (const way of ["/destroy", "/regenerate"]) {
    const visitor = visit(url);
    await visitor.get("/set?user=anna");
    expect((await visitor.get(way)).setCookie).toBeUndefined();
    expect((await visitor.get("/set?csrf=1")).setCookie).toBeDefined();
    expect((await visitor.get("/show")).body).toBe('{"csrf":"1"}');
  }
});

test("sessionOf: the stores of core lie beside, in one commit and under one cookie", async () => {
  const { driver, calls } = watched(memoryDriver());
  const { app, sessions } = appOn(driver);
  const url = await serve(app, {
    "/write": (req, res) => {
      req.session["a"] = 1;
      sessionOf(req).store("cart").set("since", new Date(0));
      res.end();
    },
    "/read": (req, res) => {
      const one = sessionOf(req);
      res.json([one.store("express-session").get("a"), one.store("cart").get("since"), one.id.length]);
    },
    "/only": (req, res) => {
      sessionOf(req).store("cart").set("since", new Date(1));
      res.end();
    },
    "/logout": async (req, res) => {
      await sessionOf(req).logout();
      res.json(Object.keys(req.session));
    },
    "/login": (req, res) => {
      sessionOf(req).login("anna");
      res.end();
    },
    "/show": show,
  });
  const visitor = visit(url);
  await visitor.get("/write");
  expect(calls).toEqual(["create"]);
  expect((await visitor.get("/read")).body).toBe('[1,"1970-01-01T00:00:00.000Z",32]');
  const other = visit(url);
  expect((await other.get("/only")).setCookie).toMatch(/^connect\.sid=/);
  expect((await other.get("/read")).body).toBe('[null,"1970-01-01T00:00:00.001Z",32]');
  expect((await visitor.get("/login")).setCookie).toMatch(/^connect\.sid=/);
  expect((await visitor.get("/show")).body).toBe('{"a":1}');
  expect(await sessions.destroyAll({ principal: "anna" })).toBe(1);
  await visitor.get("/write");
  const out = await visitor.get("/logout");
  expect(out).toMatchObject({ body: '["cookie"]', setCookie: expect.stringContaining("Max-Age=0") });
  expect((await visitor.get("/show")).body).toBe("{}");
});

test("sessionOf: a login of another user takes along only what its request has set", async () => {
  const { app } = appOn(memoryDriver());
  const url = await serve(app, {
    "/login/:user": (req, res) => {
      sessionOf(req).login(String(req.params["user"]));
      Object.assign(req.session, req.query);
      res.end();
    },
    "/show": show,
  });
  const visitor = visit(url);
  await visitor.get("/login/anna?private=1");
  await visitor.get("/login/anna?more=2");
  expect((await visitor.get("/show")).body).toBe('{"private":"1","more":"2"}');
  await visitor.get("/login/bert?note=3");
  expect((await visitor.get("/show")).body).toBe('{"note":"3"}');
});

test("sessionOf: what it writes to the store of the drop-in is in req.session of the next request", async () => {
  const { app } = appOn(memoryDriver());
  const url = await serve(app, {
    "/": (req, res) => {
      sessionOf(req).store("express-session").set("a", [1]);
      res.end();
    },
    "/show": show,
  });
  const visitor = visit(url);
  await visitor.get("/");
  expect((await visitor.get("/show")).body).toBe('{"a":[1]}');
});

test("a session that only core's side writes to lives as long as its cookie", async () => {
  const { driver, calls } = watched(memoryDriver());
  const { app } = appOn(driver, { cookie: { maxAge: 60_000 } });
  const url = await serve(app, {
    "/": (req, res) => {
      sessionOf(req).store("cart").set("items", []);
      res.end();
    },
  });
  expect((await visit(url).get("/")).setCookie).toContain("Expires=");
  await visit(url).get("/");
  expect(calls).toEqual(["create", "create"]);
});

test("an option that is unknown is refused, and so are two places at once", () => {
  const driver = memoryDriver();
  const refused = (options: object): void =>
    expect(() => appOn(driver, options)).toThrow(
      expect.toSatisfy((error) => isSessionError(error, "ERR_SESSION_CONFIG")),
    );
  refused({ savUninitialized: true });
  refused({ cookie: { maxage: 1 } });
  refused({ store: { get() {}, set() {}, destroy() {}, on() {} } });
  refused({ secret: [] });
  refused({ unset: "bogus" });
});
