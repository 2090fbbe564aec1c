import { begin, newId } from "@sessions/driver-tests/records";
import type Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type SqliteExecutor, type SqliteTimeLimit, sqliteDriver } from "../src/index.ts";
import { openFile, ownFile } from "./support.ts";

const x = (text: string) => ({ fields: new Map([["a/x", text]]) });

/** An executor that works later, as one over a network does. */
function later(client: Database.Database, changes: Partial<SqliteExecutor> = {}): SqliteExecutor {
  return {
    isFile: false,
    read: async ({ sql, values }) => client.prepare(sql).all(...values),
    write: async ({ sql, values }) => client.prepare(sql).run(...values).changes,
    ...changes,
  };
}

describe("an executor that an application writes is taken as the client, in whatever form rows come", () => {
  test.each<[string, (client: Database.Database) => Database.Database]>([
    ["objects", (client) => client],
    ["bigints", (client) => client.defaultSafeIntegers()],
  ])("%s", async (_, set) => {
    const driver = sqliteDriver({ client: later(set(openFile(ownFile()))) });
    await driver.setup();
    expect(await driver.check()).toEqual([]);
    const fields = new Map([
      ["__proto__/x", "1"],
      ["0/0", "2"],
    ]);
    const id = await begin(driver, { fields, principal: "alice" });
    expect(await driver.load(id)).toMatchObject({ fields, principal: "alice", version: 1 });
    const now = Date.now();
    expect(await driver.commit(id, { fields: new Map(), ifVersion: 9 }, now)).toBe("conflict");
    expect(await driver.commit(newId(), { fields: new Map(), ifVersion: 9 }, now)).toBe("gone");
    expect((await driver.list({ limit: 10 }, now)).records).toHaveLength(1);
    expect(await driver.destroy(id, now)).toBe(true);
  });
});

test("without isFile, setup() and check() leave the modes of the database alone", async () => {
  const asked: string[] = [];
  const client = openFile(ownFile());
  const executor = later(client, {
    read: async ({ sql, values }) => {
      asked.push(sql);
      return client.prepare(sql).all(...values);
    },
  });
  const driver = sqliteDriver({ client: executor });
  await driver.setup();
  await driver.check();
  expect(asked.filter((sql) => /PRAGMA/i.test(sql.split(" ")[0] ?? ""))).toEqual([]);
});

test("what the executor says of the largest record is the driver's", () => {
  const client = openFile(ownFile());
  expect(sqliteDriver({ client: later(client, { maxRecordBytes: 5_000 }) }).maxRecordBytes).toBe(5_000);
  expect(sqliteDriver({ client: later(client) }).maxRecordBytes).toBeUndefined();
});

test("a busy database is tried again, and any other failure is not", async () => {
  const client = openFile(ownFile());
  let failures: unknown[] = [];
  let tries = 0;
  const executor = later(client, {
    write: async ({ sql, values }) => {
      tries++;
      if (failures.length > 0) throw failures.pop();
      return client.prepare(sql).run(...values).changes;
    },
  });
  const driver = sqliteDriver({ client: executor });
  await driver.setup();
  const id = await begin(driver);
  const busy = () => Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
  tries = 0;
  failures = [busy(), busy()];
  expect(await driver.commit(id, x("1"), Date.now())).toBe("committed");
  expect(tries).toBe(3);
  tries = 0;
  failures = [new Error("the line broke after VALUE-OF-ALICE")];
  const error: unknown = await driver.commit(id, x("2"), Date.now()).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  expect(String(Object(error).cause)).not.toContain("ALICE");
  expect(tries).toBe(1);
});

test("a record that gets the awaited version after the first statement is committed by a second one", async () => {
  const client = openFile(ownFile());
  const executor = later(client);
  const driver = sqliteDriver({ client: executor });
  await driver.setup();
  const id = await begin(driver);
  const slow = sqliteDriver({
    client: later(client, {
      read: async (statement, limit) => {
        if (statement.sql.startsWith("SELECT version FROM")) await driver.commit(id, x("other"), Date.now());
        return executor.read(statement, limit);
      },
    }),
  });
  expect(await slow.commit(id, { ...x("mine"), ifVersion: 2 }, Date.now())).toBe("committed");
  expect(await driver.load(id)).toMatchObject({ version: 3, ...x("mine") });
});

test("a call that takes too long is DriverUnavailableError, and the executor can see that it is over", async () => {
  let limit: SqliteTimeLimit | undefined;
  const executor = later(openFile(ownFile()), {
    read: (_, given) => {
      limit = given;
      return new Promise(() => {});
    },
  });
  const driver = sqliteDriver({ client: executor, timeout: 20 });
  const loading = driver.load(newId());
  expect(limit?.isOver()).toBe(false);
  const signal = limit?.signal();
  expect(signal?.aborted).toBe(false);
  expect(limit?.signal()).toBe(signal);
  await expect(loading).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  expect(limit?.isOver()).toBe(true);
  expect(signal?.aborted).toBe(true);
  // A signal that is asked for only now has aborted as well.
  const second = driver.load(newId());
  const unasked = limit;
  await expect(second).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  expect(unasked?.signal().aborted).toBe(true);
});

test.each([
  ["on a server in one statement", false, 1],
  ["in a file a hundred at a time", true, 2],
])("sweep() removes records %s", async (_, isFile, statements) => {
  const client = openFile(ownFile());
  const plain = sqliteDriver({ client });
  await plain.setup();
  for (let i = 0; i < 150; i++) await begin(plain, { expiresAt: i + 1 });
  let writes = 0;
  const executor = later(client, { isFile });
  const counting: SqliteExecutor = {
    ...executor,
    write(statement, limit) {
      writes++;
      return executor.write(statement, limit);
    },
  };
  const driver = sqliteDriver({ client: counting });
  expect(await driver.sweep({ after: 0, before: 1_000, limit: 200 })).toBe(150);
  expect(writes).toBe(statements);
});

test("a statement is not sent once the time of its call is over", async () => {
  const client = openFile(ownFile());
  await sqliteDriver({ client }).setup();
  const writes: string[] = [];
  const driver = sqliteDriver({
    client: later(client, {
      write: async ({ sql }) => {
        writes.push(sql);
        return 0;
      },
      // The record has the awaited version, so the commit is to be tried again. Until then the process is busy.
      read: async () => {
        const begun = performance.now();
        await Promise.resolve();
        while (performance.now() < begun + 60);
        return [[1]];
      },
    }),
    timeout: 50,
  });
  await expect(driver.commit(newId(), { ...x("late"), ifVersion: 1 }, Date.now())).rejects.toMatchObject({
    code: "ERR_SESSION_UNAVAILABLE",
    message: expect.stringContaining("may or may not have been made"),
  });
  expect(writes).toHaveLength(1);
});
