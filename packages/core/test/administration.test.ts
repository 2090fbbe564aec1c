import { expect, test } from "vitest";
import { createSessionManager, type Driver, type ListingDriver, type SessionInfo } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { cookieOf, HOUR, spyDriver, testClock } from "./support.ts";

function setUp(inner: ListingDriver = memoryDriver()) {
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  const driver = spyDriver({}, inner);
  const { counts } = driver;
  const sessions = createSessionManager({ driver, clock: time.clock });
  return {
    ...time,
    sessions,
    counts,
    async login(principal: string | undefined, data: Record<string, unknown> = { a: 1 }) {
      const session = await sessions.open(undefined);
      for (const [key, value] of Object.entries(data)) session.store("data").set(key, value);
      if (principal !== undefined) session.login(principal);
      const jar = cookieOf((await session.commit()).setCookie);
      return { jar, id: session.id };
    },
    async listed(principal?: string): Promise<SessionInfo[]> {
      const infos: SessionInfo[] = [];
      for await (const info of sessions.list(principal === undefined ? {} : { principal })) infos.push(info);
      return infos;
    },
  };
}

const withoutList = ({ name, create, load, commit, destroy, sweep }: Driver): Driver => ({
  name,
  create,
  load,
  commit,
  destroy,
  sweep,
});

test("create() stores an empty session at its first commit", async () => {
  const { sessions } = setUp();
  const session = sessions.create();
  expect(await sessions.exists(session.id)).toBe(false);
  const { status, token } = await session.commit();
  expect(status).toBe("committed");
  expect((await sessions.load(token ?? ""))?.id).toBe(session.id);
  expect((await session.commit()).status).toBe("unchanged");
});

test("load() takes a token that came without a cookie, and answers undefined for what open() would reject", async () => {
  const { sessions, login, counts } = setUp();
  const { jar, id } = await login("alice");
  const token = sessions.readToken(jar);
  expect((await sessions.load(token ?? ""))?.principal).toBe("alice");
  counts();
  expect(await sessions.load("nonsense")).toBeUndefined();
  expect(counts()).toEqual({});
  await sessions.destroy(id);
  expect(await sessions.load(token ?? "")).toBeUndefined();
});

test("get() reads and commits by id, and never touches, rotates or returns a cookie", async () => {
  const { sessions, login, pass, clock } = setUp();
  const { id, jar } = await login("alice");
  const expiry = clock() + 24 * HOUR;
  pass(HOUR);
  const session = await sessions.get(id);
  expect([session?.principal, session?.store("data").get("a"), session?.isNew]).toEqual(["alice", 1, false]);
  expect(await session?.commit()).toMatchObject({
    status: "unchanged",
    token: undefined,
    setCookie: undefined,
  });
  session?.store("data").set("b", 2);
  expect(await session?.commit()).toMatchObject({
    status: "committed",
    token: undefined,
    setCookie: undefined,
  });
  expect(session?.expiresAt.getTime()).toBe(expiry);
  expect(() => session?.login("bob")).toThrow(TypeError);
  expect(() => session?.rotate()).toThrow(TypeError);
  expect((await sessions.open(jar)).store("data").get("b")).toBe(2);

  await session?.logout();
  session?.store("data").set("c", 3);
  expect(await session?.commit()).toMatchObject({ status: "gone", setCookie: undefined });
  expect(await sessions.get(id)).toBeUndefined();
});

test("an id that is none costs no call, and finds nothing", async () => {
  const { sessions, counts } = setUp();
  for (const id of ["", "x", "A".repeat(32), `${"0".repeat(32)}\n`, "../../etc/passwd", "0".repeat(33)]) {
    expect(await sessions.get(id)).toBeUndefined();
    expect([await sessions.exists(id), await sessions.valid(id), await sessions.destroy(id)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(await sessions.setExpiry(id, new Date())).toBe(false);
  }
  expect(counts()).toEqual({});
});

test("destroy ends one session, once, and only the principal's where one is named", async () => {
  const { sessions, login } = setUp();
  const { id, jar } = await login("alice");
  expect(await sessions.destroy(id, { principal: "mallory" })).toBe(false);
  expect((await sessions.open(jar)).principal).toBe("alice");
  expect(await sessions.destroy(id, { principal: "alice" })).toBe(true);
  expect(await sessions.destroy(id)).toBe(false);
  expect(await sessions.exists(id)).toBe(false);
  expect((await sessions.open(jar)).rejected).toBe("unknown");
});

test("list tells of live sessions, all or one principal's, without tokens and values", async () => {
  const { sessions, login, listed, clock, pass } = setUp();
  const alice = await login("alice", { "secret/key": "a value" });
  const second = await login("alice");
  const guest = await login(undefined);
  const dead = await login("alice");
  await sessions.setExpiry(dead.id, new Date(clock()));
  pass(1);
  expect((await listed()).map(({ id }) => id).sort()).toEqual([alice.id, second.id, guest.id].sort());
  const [info, ...more] = (await listed("alice")).filter(({ id }) => id === alice.id);
  expect(more).toEqual([]);
  expect(info).toEqual({
    id: alice.id,
    createdAt: new Date(clock() - 1),
    expiresAt: new Date(clock() - 1 + 24 * HOUR),
    principal: "alice",
    authenticatedAt: new Date(clock() - 1),
    stores: ["data"],
    bytes: expect.any(Number),
  });
  expect(info?.bytes).toBeGreaterThan("data/secret%2Fkey".length);
  expect(await listed("ALICE")).toEqual([]);
});

test("list goes through every page", async () => {
  const { login, listed } = setUp();
  const ids = new Set<string>();
  for (let n = 0; n < 1203; n++) ids.add((await login(n % 2 ? "alice" : undefined, { n })).id);
  expect(new Set((await listed()).map(({ id }) => id))).toEqual(ids);
  expect(await listed("alice")).toHaveLength(601);
});

test("destroyAll ends a principal's sessions, but one if asked, and says how many", async () => {
  const { sessions, login, listed } = setUp();
  const here = await login("alice");
  await login("alice");
  await login("alice");
  const bob = await login("bob");
  expect(await sessions.destroyAll({ principal: "alice", except: here.id })).toBe(2);
  expect((await listed("alice")).map(({ id }) => id)).toEqual([here.id]);
  expect(await sessions.destroyAll({ principal: "alice" })).toBe(1);
  expect(await sessions.destroyAll({ principal: "alice" })).toBe(0);
  expect(await sessions.valid(bob.id)).toBe(true);
});

test("destroyAll ends everyone's sessions, and nobody's by a forgotten variable", async () => {
  const { sessions, login, listed } = setUp();
  await login("alice");
  await login(undefined);
  const wrong: unknown[] = [
    {},
    { principal: undefined },
    { everyone: false },
    { principal: "" },
    { principal: "a", everyone: true },
  ];
  for (const query of wrong)
    await expect(sessions.destroyAll(query as { principal: string })).rejects.toThrow(TypeError);
  expect(await listed()).toHaveLength(2);
  expect(await sessions.destroyAll({ everyone: true })).toBe(2);
  expect(await listed()).toEqual([]);
});

test("what only this manager's absolute timeout has ended is ended for those with a longer one too", async () => {
  const driver = spyDriver();
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  const patient = createSessionManager({ driver, clock: time.clock, idle: "60d" });
  const strict = createSessionManager({ driver, clock: time.clock, idle: "60d", absolute: "7d" });
  const jars: (string | undefined)[] = [];
  const ids: string[] = [];
  for (let n = 0; n < 2; n++) {
    const session = await patient.open(undefined);
    session.login("alice");
    jars.push(cookieOf((await session.commit()).setCookie));
    ids.push(session.id);
  }
  time.pass(10 * 24 * HOUR);
  expect(await strict.destroy(ids[0] ?? "")).toBe(false);
  await strict.destroyAll({ principal: "alice" });
  for (const jar of jars) expect((await patient.open(jar)).principal).toBeUndefined();
});

test("destroy with a forgotten principal ends nobody's session", async () => {
  const { sessions, login } = setUp();
  const { id } = await login("alice");
  await expect(sessions.destroy(id, { principal: undefined })).rejects.toThrow(TypeError);
  expect(await sessions.valid(id)).toBe(true);
});

test("destroyAll finds the session of a login that was acknowledged while it listed", async () => {
  const inner = memoryDriver();
  let meanwhile: (() => Promise<unknown>) | undefined;
  const { sessions, login } = setUp({
    ...inner,
    async list(query, now) {
      const page = await inner.list(query, now);
      const first = meanwhile;
      meanwhile = undefined;
      await first?.();
      return page;
    },
  });
  await login("alice");
  let late = "";
  meanwhile = async () => {
    late = (await login("alice")).id;
  };
  expect(await sessions.destroyAll({ principal: "alice" })).toBe(2);
  expect(await sessions.valid(late)).toBe(false);
});

test("where the driver's list lags, destroyAll looks again", async () => {
  const inner = memoryDriver();
  let lists = 0;
  const driver: ListingDriver = {
    ...inner,
    eventualList: true,
    // The index shows the session one listing too late.
    list: async (query, now) => (lists++ === 0 ? { records: [] } : inner.list(query, now)),
  };
  const sessions = createSessionManager({ driver });
  const session = await sessions.open(undefined);
  session.login("alice");
  await session.commit();
  expect(await sessions.destroyAll({ principal: "alice" })).toBe(1);
  expect(await sessions.valid(session.id)).toBe(false);
});

test("where the driver cannot list, list and destroyAll are unsupported, and say so", async () => {
  const sessions = createSessionManager({ driver: withoutList(memoryDriver()) });
  await expect(sessions.list().next()).rejects.toMatchObject({ code: "ERR_SESSION_UNSUPPORTED" });
  await expect(sessions.destroyAll({ everyone: true })).rejects.toMatchObject({
    code: "ERR_SESSION_UNSUPPORTED",
  });
});

test("what a backend holds that is no session of ours is unknown, and listed nowhere", async () => {
  const inner = memoryDriver();
  const { sessions, clock, login, listed } = setUp(inner);
  const { jar, id } = await login("alice");
  const record = await inner.load(id);
  const good = new Map(record?.fields);
  for (const [field, text] of [
    ["/session", ""],
    ["/session", "abc def"],
    ["/turns", "x"],
    ["/turns", `${good.get("/turns")} x`],
    ["/session", `${"9".repeat(400)} ${"A".repeat(43)}`],
    ["/session", good.get("/session")?.replace(/^\d+/, "9".repeat(16)) ?? ""],
  ] as const) {
    await inner.commit(id, { fields: new Map([...good, [field, text]]) }, clock());
    expect((await sessions.open(jar)).rejected).toBe("unknown");
    expect([await sessions.get(id), await sessions.exists(id), await listed("alice")]).toEqual([
      undefined,
      false,
      [],
    ]);
  }
  await inner.commit(
    id,
    {
      fields: new Map([
        ...good,
        ["no-slash", "x"],
        ["data/%zz", "x"],
        ["data/%61", "x"],
        ["data/b/c", "x"],
        ["data/b.c", "x"],
      ]),
    },
    clock(),
  );
  const session = await sessions.open(jar);
  expect([...session.store("data").keys()]).toEqual(["a"]);
  expect(session.storeNames()).toEqual(["data"]);
});

test("setup, check, teardown and close reach a driver that has them, and are nothing where it has not", async () => {
  const done: string[] = [];
  const driver = {
    ...memoryDriver(),
    setup: async () => void done.push("setup"),
    check: async () => ["the index is missing"],
    teardown: async () => void done.push("teardown"),
    close: async () => void done.push("close"),
  };
  const provisioned = createSessionManager({ driver });
  await provisioned.setup();
  expect(await provisioned.check()).toEqual(["the index is missing"]);
  await provisioned.teardown();
  await provisioned.close();
  expect(done).toEqual(["setup", "teardown", "close"]);

  const plain = createSessionManager();
  await plain.setup();
  expect(await plain.check()).toEqual([]);
  await plain.teardown();
  await plain.close();
});
