import {
  type Duration,
  type ListingDriver,
  type ProvisionedDriver,
  SessionConfigError,
} from "@sessions/core";
import {
  checkOption,
  checkOptions,
  createCall,
  pageById,
  raisesVersion,
  readTable,
  readTimeout,
} from "@sessions/core/driver-tools";
import { translate } from "./errors.ts";
import type { PostgresResult } from "./executor.ts";
import { type AnyPostgresClientLike, executorOf } from "./executors/executor-of.ts";
import { createProvisioning } from "./provisioning.ts";
import { createSend } from "./sending.ts";
import { parseRow, statementsOf, toArray, toJson, valuesOf } from "./statements.ts";

/** Options of {@link postgresDriver}. */
export interface PostgresDriverOptions {
  /**
   * A client of `pg`, or an executor of your own. You close it. A single `Client` of `pg` must be connected, and stays
   * lost once it is lost.
   */
  readonly client: AnyPostgresClientLike;
  /**
   * The table's name, perhaps with a schema: `"sessions"`, `"app.sessions"`. Each of the two has 1 to 48 of
   * `a-z A-Z 0-9 _`. Case matters.
   * @default "sessions"
   */
  readonly table?: string | undefined;
  /**
   * How long a call may take before it rejects with `DriverUnavailableError`. The wait for a connection counts.
   * More than 24 days counts as 24.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
  /**
   * Whether `setup()` makes the table `UNLOGGED`. Writes are cheaper, but a crash of the server empties the table, which
   * logs all users out, and replicas do not have it.
   * @default false
   */
  readonly unlogged?: boolean | undefined;
}

/**
 * Keeps sessions in PostgreSQL 12 or newer: one table, one row per session.
 *
 * @throws SessionConfigError that names an unknown option, or one out of range.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { postgresDriver } from "@sessions/driver-postgres";
 * import pg from "pg";
 *
 * const client = new pg.Pool({ host: "127.0.0.1", connectionTimeoutMillis: 2_000 });
 * client.on("error", (error) => console.error(error)); // without a listener, a broken idle connection ends the process
 * const sessions = createSessionManager({ driver: postgresDriver({ client }) });
 * await sessions.setup();
 */
export function postgresDriver(options: PostgresDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("postgresDriver", options, ["client", "table", "timeout", "unlogged"]);
  const { client, table: name = "sessions", timeout: limit = "2s", unlogged = false } = options;
  const executor = executorOf(client);
  const table = readTable(name, {
    form: /^\w{1,48}(\.\w{1,48})?$/,
    must: "a name of 1 to 48 of a-z A-Z 0-9 _, perhaps with a schema",
  });
  checkOption(typeof unlogged === "boolean", "unlogged", "true or false", unlogged);
  const timeout = readTimeout(limit);

  const call = createCall({ driver: "postgres", timeout, translate: translate(name) });
  const sendWithin = createSend(executor, call);
  const send = (text: string, values: (string | null)[] = [], within = timeout): Promise<PostgresResult> =>
    sendWithin(text, values, within, false);
  const change = (text: string, values: (string | null)[]): Promise<PostgresResult> =>
    sendWithin(text, values, timeout, true);
  const statements = statementsOf(table.quoted);

  return {
    name: "postgres",

    async create(id, { expiresAt, principal, fields }, now) {
      const values = [id, `${expiresAt}`, principal ?? null, toJson(fields), `${now}`];
      return countOf(await change(statements.create, values)) === 1;
    },

    async load(id) {
      const row = (await send(statements.load, [id])).rows[0];
      if (row === undefined) return undefined;
      const { id: _, ...record } = parseRow(row);
      return record;
    },

    async commit(id, given, now) {
      const { fields, expiresAt, principal, ifVersion } = given;
      const deletes: string[] = [];
      const sets: [string, string][] = [];
      for (const [name, text] of fields) {
        if (text === null) deletes.push(name);
        else sets.push([name, text]);
      }
      const values = [
        ...[id, `${now}`, toArray(deletes), toJson(sets), expiresAt === undefined ? null : `${expiresAt}`],
        ...[`${principal !== undefined}`, principal ?? null, raisesVersion(given) ? "1" : "0"],
      ];
      if (ifVersion === undefined)
        return countOf(await change(statements.commit, values)) === 1 ? "committed" : "gone";
      const [row] = (await change(statements.compareAndSet, [...values, `${ifVersion}`])).rows;
      const { outcome } = valuesOf(row, ["outcome"]);
      return outcome === "committed" || outcome === "conflict" ? outcome : "gone";
    },

    destroy: async (id, now) => countOf(await change(statements.destroy, [id, `${now}`])) === 1,

    async sweep({ after, before, limit }) {
      return countOf(await send(statements.sweep, [`${after}`, `${before}`, `${limit}`]));
    },

    async list({ principal, cursor = "", limit }, now) {
      const { rows } =
        principal === undefined
          ? await send(statements.list, [cursor, `${limit}`])
          : await send(statements.listPrincipal, [cursor, `${limit}`, `${now}`, principal]);
      return pageById(rows.map(parseRow), limit);
    },

    ...createProvisioning({ table, unlogged, send }),
  };
}

/** How many rows a statement wrote. Without it, every write would look like one to a record that is gone. */
function countOf({ rowCount }: PostgresResult): number {
  if (typeof rowCount !== "number")
    throw new SessionConfigError(
      "client must say how many rows a statement wrote: rowCount must be a number",
    );
  return rowCount;
}
