import { EventEmitter } from "node:events";
import fastifyCookie from "@fastify/cookie";
import fastifySession from "@fastify/session";
import type { Driver } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import fastify from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { expressSessionStore } from "../src/index.ts";
import { meeting, type Visitor, visit } from "./support.ts";

declare module "fastify" {
  interface Session {
    [key: string]: unknown;
  }
}

async function begin(driver: Driver, together: () => Promise<void>, rolling: boolean): Promise<Visitor> {
  const app = fastify({ forceCloseConnections: true });
  onTestFinished(() => app.close());
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    secret: "it is a secret to nobody, of 32 characters at least",
    cookie: { secure: false },
    saveUninitialized: false,
    rolling,
    store: expressSessionStore(driver, { Store: EventEmitter }),
  });
  app.get<{ Params: { key: string } }>("/set/:key", async (request) => {
    request.session.set(request.params.key, true);
    return "";
  });
  app.get<{ Params: { key: string } }>("/together/set/:key", async (request) => {
    await together();
    request.session.set(request.params.key, true);
    return "";
  });
  app.get("/twice", async (request) => {
    await together();
    request.session.set("a", true);
    await request.session.save();
    request.session.set("b", true);
    return "";
  });
  app.get("/login", async (request) => {
    await request.session.regenerate(["first"]);
    request.session.set("user", "alice");
    return "";
  });
  app.get("/logout", async (request) => {
    await request.session.destroy();
    return "";
  });
  app.get("/", async (request) => {
    const { cookie: _, ...data } = request.session;
    return data;
  });
  const visitor = visit(await app.listen({ host: "127.0.0.1", port: 0 }));
  await visitor.get("/set/first");
  return visitor;
}

const data = async (visitor: Visitor): Promise<unknown> => JSON.parse((await visitor.get("/")).body);

describe.each([{ rolling: false }, { rolling: true }])("@fastify/session with %o", ({ rolling }) => {
  test("overlapping requests write different keys, and both survive", async () => {
    const visitor = await begin(memoryDriver(), meeting(3), rolling);
    await Promise.all(["a", "b", "c"].map((key) => visitor.get(`/together/set/${key}`)));
    expect(await data(visitor)).toEqual({ first: true, a: true, b: true, c: true });
  });

  test("what one writes while the other has read and not yet written survives", async () => {
    const [read, written] = [meeting(2), meeting(2)];
    const visitor = await begin(memoryDriver(), () => read().then(written), rolling);
    const slow = visitor.get("/together/set/b");
    await read();
    await visitor.get("/set/a");
    await written();
    await slow;
    expect(await data(visitor)).toEqual({ first: true, a: true, b: true });
  });

  test("a session that has ended is not brought back by a request that read it before", async () => {
    const driver = memoryDriver();
    const [read, over] = [meeting(2), meeting(2)];
    const visitor = await begin(driver, () => read().then(over), rolling);
    const late = visitor.get("/together/set/late");
    await read();
    await visitor.get("/logout");
    await over();
    expect((await late).status).toBe(200);
    expect((await driver.list({ limit: 10 }, Date.now())).records).toEqual([]);
  });

  test("two saves of one request take nothing back", async () => {
    const visitor = await begin(memoryDriver(), meeting(2), rolling);
    await Promise.all([visitor.get("/twice"), visitor.get("/together/set/c")]);
    expect(await data(visitor)).toEqual({ first: true, a: true, b: true, c: true });
  });

  test("regenerate ends the old session and stores the new one", async () => {
    const driver = memoryDriver();
    const visitor = await begin(driver, meeting(1), rolling);
    await visitor.get("/login");
    expect(await data(visitor)).toEqual({ first: true, user: "alice" });
    expect((await driver.list({ limit: 10 }, Date.now())).records).toHaveLength(1);
  });
});
