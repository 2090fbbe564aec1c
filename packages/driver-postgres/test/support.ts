import { randomBytes } from "node:crypto";
import type { Driver, NewRecord } from "@sessions/core";
import { postgresUrl, startPostgresServer } from "@sessions/test-services/postgres";
import pg from "pg";
import { onTestFinished } from "vitest";

export const HOUR = 3_600_000;

export const newId = (): string => randomBytes(16).toString("hex");
/** A table that no other test has. */
export const newTable = (): string => `t_${newId().slice(0, 12)}`;

export async function begin(driver: Driver, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const now = Date.now();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  if (!created) throw new Error(`${id} was taken`);
  return id;
}

/** A pool, until the test is over. */
export function openPool(url: string, config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 2_000, ...config });
  pool.on("error", () => {});
  onTestFinished(() => pool.end());
  return pool;
}

/** A server of the test's own, with settings such as `fsync=off`. */
export async function ownServer(
  ...settings: string[]
): Promise<{ url: string; port: number; pool: pg.Pool }> {
  const server = await startPostgresServer(settings.flatMap((setting) => ["-c", setting]));
  onTestFinished(() => server.stop());
  const url = postgresUrl(server);
  return { url, port: server.port, pool: openPool(url) };
}
