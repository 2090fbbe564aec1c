import type { Change, Driver } from "@sessions/core";
import { begin as beginRecord, newId } from "@sessions/driver-tests/records";
import { mysqlUrl, startMysqlServer } from "@sessions/test-services/mysql";
import type { Server } from "@sessions/test-services/server";
import { createPool, type Pool, type PoolOptions } from "mysql2/promise";
import { onTestFinished } from "vitest";
import { mysqlDriver } from "../src/index.ts";

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
