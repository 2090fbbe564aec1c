import { memoryDriver } from "@sessions/core/memory";
import { describe, expect, test } from "vitest";
import { expressSessionStore } from "../src/index.ts";
import { appOn, ask, listen, meeting, visit } from "./support.ts";

describe.each([{ resave: false }, { resave: true }])("a session that has ended, with %o", (options) => {
  test("is not brought back by a request that read it before", async () => {
    const driver = memoryDriver();
    const app = appOn(driver, options);
    const [read, over] = [meeting(2), meeting(2)];
    app.get("/login", (req, res) => {
      req.session["user"] = "alice";
      res.end();
    });
    app.get("/slow", async (req, res) => {
      await read();
      await over();
      req.session["late"] = true;
      res.end();
    });
    app.get("/logout", (req, res) => {
      req.session.destroy(() => res.end());
    });
    app.get("/", (req, res) => {
      res.json(req.session["user"] ?? null);
    });
    const visitor = visit(await listen(app));
    await visitor.get("/login");
    const slow = visitor.get("/slow");
    await read();
    await visitor.get("/logout");
    await over();
    expect((await slow).status).toBe(200);
    expect((await driver.list({ limit: 10 }, Date.now())).records).toEqual([]);
    expect((await visitor.get("/")).body).toBe("null");
  });
});

test("a touch does not bring a session back", async () => {
  const driver = memoryDriver();
  const app = appOn(driver);
  const [read, over] = [meeting(2), meeting(2)];
  app.get("/login", (req, res) => {
    req.session["user"] = "alice";
    res.end();
  });
  app.get("/slow", async (_req, res) => {
    await read();
    await over();
    res.end();
  });
  app.get("/logout", (req, res) => {
    req.session.destroy(() => res.end());
  });
  const visitor = visit(await listen(app));
  await visitor.get("/login");
  const slow = visitor.get("/slow");
  await read();
  await visitor.get("/logout");
  await over();
  await slow;
  expect((await driver.list({ limit: 10 }, Date.now())).records).toEqual([]);
});

test("a new session that was saved once, and ended elsewhere since, is not stored anew by its next save", async () => {
  const driver = memoryDriver();
  const app = appOn(driver);
  app.get("/", (req, res) => {
    req.session["n"] = 1;
    req.session.save(() => {
      req.sessionStore.destroy(req.sessionID, () => {
        req.session["n"] = 2;
        res.end();
      });
    });
  });
  await visit(await listen(app)).get("/");
  expect((await driver.list({ limit: 10 }, Date.now())).records).toEqual([]);
});

test("regenerate ends the old session and stores the new one", async () => {
  const driver = memoryDriver();
  const app = appOn(driver);
  app.get("/set", (req, res) => {
    req.session["before"] = true;
    res.end();
  });
  app.get("/login", (req, res) => {
    req.session.regenerate(() => {
      req.session["user"] = "alice";
      res.end();
    });
  });
  app.get("/", (req, res) => {
    res.json([req.session["before"] ?? null, req.session["user"] ?? null]);
  });
  const visitor = visit(await listen(app));
  await visitor.get("/set");
  await visitor.get("/login");
  expect((await visitor.get("/")).body).toBe('[null,"alice"]');
  expect((await driver.list({ limit: 10 }, Date.now())).records).toHaveLength(1);
});

test("an id that genid answers again is a new session after the end of the old one", async () => {
  const app = appOn(memoryDriver(), { genid: () => "the only one" });
  app.get("/set", (req, res) => {
    req.session["before"] = true;
    res.end();
  });
  app.get("/login", (req, res) => {
    req.session.regenerate(() => {
      req.session["user"] = "alice";
      res.end();
    });
  });
  app.get("/", (req, res) => {
    res.json([req.session["before"] ?? null, req.session["user"] ?? null]);
  });
  const visitor = visit(await listen(app));
  await visitor.get("/set");
  await visitor.get("/login");
  expect((await visitor.get("/")).body).toBe('[null,"alice"]');
});

test("a session that the caller made up replaces the one that is there, whole", async () => {
  const store = expressSessionStore(memoryDriver());
  const cookie = { originalMaxAge: null };
  await ask((done) => store.set("id", { cookie, a: 1, b: 1 }, done));
  await ask((done) => store.set("id", { cookie, b: 2, c: 2 }, done));
  const found = await ask((done) => store.get("id", done));
  expect(found).toEqual({ cookie: { originalMaxAge: null, expires: null }, b: 2, c: 2 });
});
