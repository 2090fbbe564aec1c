import { type Driver, DriverUnavailableError } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import express from "express";
import { auth, type ConfigParams } from "express-openid-connect";
import Koa from "koa";
import koaSession from "koa-session";
import { describe, expect, test } from "vitest";
import { expressSessionStore } from "../src/index.ts";
import { listen, meeting, visit } from "./support.ts";

/** A site whose `req.appSession` is kept by express-openid-connect in a driver. Nothing of it asks the provider. */
async function site(driver: Driver) {
  const app = express();
  app.set("env", "test");
  app.use(
    auth({
      authRequired: false,
      baseURL: "http://localhost:3000",
      issuerBaseURL: "http://localhost:1",
      clientID: "client",
      secret: "it is a secret to nobody of at least 32 characters",
      session: {
        store: expressSessionStore(driver) as unknown as NonNullable<ConfigParams["session"]>["store"],
      },
    } as ConfigParams),
  );
  const [read, over] = [meeting(2), meeting(2)];
  const sessionOf = (req: object): Record<string, unknown> => Reflect.get(req, "appSession");
  app.get("/set", (req, res) => {
    Object.assign(sessionOf(req), req.query);
    res.end();
  });
  app.get("/slow", async (req, res) => {
    await read();
    await over();
    Object.assign(sessionOf(req), req.query);
    res.end();
  });
  app.get("/leave", (req, res) => {
    Reflect.set(req, "appSession", undefined);
    res.end();
  });
  app.get("/show", (req, res) => void res.json(sessionOf(req)));
  app.use(((error, _req, res, next) => {
    if (res.headersSent) next(error);
    else res.status(error.status ?? 500).send(String(error.code));
  }) satisfies express.ErrorRequestHandler);
  return { read, over, visitor: visit(await listen(app)) };
}

describe("with express-openid-connect", () => {
  test("a session that has ended is not brought back by a request that read it before", async () => {
    const driver = memoryDriver();
    const { visitor, read, over } = await site(driver);
    await visitor.get("/set?user=anna");
    const slow = visitor.get("/slow?late=1");
    await read();
    for (const { id } of (await driver.list({ limit: 10 }, Date.now())).records)
      await driver.destroy(id, Date.now());
    await over();
    await slow;
    expect((await driver.list({ limit: 10 }, Date.now())).records).toEqual([]);
  });

  test("a request that only reads does not undo what another one writes", async () => {
    const { visitor, read, over } = await site(memoryDriver());
    await visitor.get("/set?token=1");
    const slow = visitor.get("/slow");
    await read();
    await visitor.get("/set?token=2");
    await over();
    await slow;
    expect((await visitor.get("/show")).body).toBe('{"token":"2"}');
  });

  test("of requests that both write, the last one wins: its data is one key", async () => {
    const { visitor, read, over } = await site(memoryDriver());
    await visitor.get("/set?user=anna");
    const slow = visitor.get("/slow?a=1");
    await read();
    await visitor.get("/set?b=1");
    await over();
    await slow;
    expect((await visitor.get("/show")).body).toBe('{"user":"anna","a":"1"}');
  });

  test.each(["/show", "/set?a=1"])(
    "a backend that is away for the read is an error, and ends no session: %s",
    async (path) => {
      const inner = memoryDriver();
      let isAway = false;
      const { visitor } = await site({
        ...inner,
        load: (id) => (isAway ? Promise.reject(new DriverUnavailableError("away")) : inner.load(id)),
      });
      await visitor.get("/set?user=anna");
      const before = await inner.list({ limit: 10 }, Date.now());
      isAway = true;
      expect(await visitor.get(path)).toMatchObject({ status: 503, body: "ERR_SESSION_UNAVAILABLE" });
      expect(await inner.list({ limit: 10 }, Date.now())).toEqual(before);
    },
  );

  test("a logout ends the session", async () => {
    const driver = memoryDriver();
    const { visitor } = await site(driver);
    await visitor.get("/set?user=anna");
    await visitor.get("/leave");
    expect((await driver.list({ limit: 10 }, Date.now())).records).toEqual([]);
  });
});

test("koa-session is refused: it calls stores in another way", async () => {
  const app = new Koa();
  app.keys = ["it is a secret to nobody"];
  const errors: unknown[] = [];
  app.on("error", (error) => errors.push(error));
  app.use(koaSession({ store: expressSessionStore(memoryDriver()) as never }, app));
  app.use((ctx) => {
    const session: Record<string, unknown> = Reflect.get(ctx, "session");
    session["user"] = "anna";
  });
  const refused = expect.objectContaining({
    code: "ERR_SESSION_UNSUPPORTED",
    message: expect.stringContaining("@sessions/koa-session"),
  });
  const url = await listen(app.callback());
  expect((await fetch(url)).status).toBe(500);
  expect(errors).toEqual([refused]);
});
