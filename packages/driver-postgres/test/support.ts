import { newId } from "@sessions/driver-tests/records";
import { postgresUrl, startPostgresServer } from "@sessions/test-services/postgres";
import pg from "pg";
import { onTestFinished } from "vitest";

export { begin, HOUR, newId } from "@sessions/driver-tests/records";

/** The name of a table that no other test uses. */
export const newTable = (): string => `t_${newId().slice(0, 12)}`;

/** A pool that ends with the test. */
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
