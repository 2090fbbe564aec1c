import type { Change, Driver } from "@sessions/core";
import { begin as beginRecord, newId } from "@sessions/driver-tests/records";
import { mysqlUrl, startMysqlServer } from "@sessions/test-services/mysql";
import type { Server } from "@sessions/test-services/server";
import { createPool, type Pool, type PoolOptions } from "mysql2/promise";
import { expect, onTestFinished } from "vitest";
import { type AnyMysqlClientLike, mysqlDriver } from "../src/index.ts";

export { HOUR, newId } from "@sessions/driver-tests/records";

export const newTable = (): string => `t_${newId()}`;

/** Makes a live record with these fields, and returns its id. */
export const begin = (driver: Driver, fields: Record<string, string> = { "a/x": "0" }): Promise<string> =>
  beginRecord(driver, { fields: new Map(Object.entries(fields)) });

export const change = (fields: Record<string, string | null>): Change => ({
  fields: new Map(Object.entries(fields)),
});

/** More fields than one statement takes. */
export const manyFields = (text: string): Change =>
  change(Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`many/${i}`, text])));

/** Goes through every method of a driver, on a table of its own. */
export async function expectAllMethods(client: AnyMysqlClientLike): Promise<void> {
  const driver = mysqlDriver({ client, table: newTable(), timeout: 15_000 });
  await driver.setup();
  onTestFinished(() => driver.teardown());
  expect(await driver.check()).toEqual([]);
  const fields = { "__proto__/x": "\uFEFFZoë 😀", "a/null": "null" };
  const now = Date.now();
  const nothing = new Map<string, string>();
  const id = await begin(driver, fields);
  expect(await driver.create(id, { expiresAt: now + 1000, fields: nothing }, now)).toBe(false);
  expect(await driver.load(id)).toMatchObject({ fields: new Map(Object.entries(fields)), version: 1 });
  expect(await driver.commit(id, { fields: nothing, principal: "alice", ifVersion: 1 }, now)).toBe(
    "committed",
  );
  expect(await driver.commit(id, { fields: nothing, ifVersion: 1 }, now)).toBe("conflict");
  expect(await driver.commit(newId(), { fields: nothing }, now)).toBe("gone");
  expect(await driver.commit(id, manyFields("x".repeat(1000)), now)).toBe("committed");
  expect(await driver.list({ principal: "alice", limit: 9 }, now)).toMatchObject({
    records: [{ id, version: 3 }],
  });
  expect(await driver.destroy(id, now)).toBe(true);
  expect(await driver.destroy(id, now)).toBe(false);
  expect(await driver.create(newId(), { expiresAt: now - 1, fields: nothing }, now - 2)).toBe(true);
  expect(await driver.sweep({ after: 0, before: now, limit: 9 })).toBe(1);
}

/** A pool that ends with the test. */
export function openPool(options: PoolOptions): Pool {
  const pool = createPool(options);
  onTestFinished(() => pool.end());
  return pool;
}

interface Opened {
  client: Pool;
  table: string;
  driver: ReturnType<typeof mysqlDriver>;
}

/** A driver with a table of its own, through a pool that ends with the test. */
export async function openDriver(options: PoolOptions & { timeout?: number }): Promise<Opened> {
  const { timeout = 5_000, ...poolOptions } = options;
  const client = createPool(poolOptions);
  const table = newTable();
  const driver = mysqlDriver({ client, table, timeout });
  await driver.setup();
  onTestFinished(async () => {
    await driver.teardown();
    await client.end();
  });
  return { client, table, driver };
}

/** A server of the test's own, for other settings. */
export async function ownServer(...args: string[]): Promise<{ server: Server; url: string }> {
  const server = await startMysqlServer(args);
  onTestFinished(() => server.stop());
  return { server, url: mysqlUrl(server) };
}

/** Whether the environment names a server: then tests cannot start one with other settings. */
export const isNamed = (service: { obtained: string }): boolean =>
  service.obtained.startsWith("SESSIONS_TEST_");

/** The address in a URL, for the clients that take its parts. */
export function addressOf(
  url: string,
): Record<"host" | "user" | "password" | "database", string> & { port: number } {
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  return {
    host,
    port: Number(port),
    user,
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  };
}
