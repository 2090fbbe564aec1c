import { PGlite } from "@electric-sql/pglite";
import { type PostgresDriverOptions, postgresDriver } from "@sessions/driver-postgres";
import { drizzle } from "drizzle-orm/node-postgres";
import knex from "knex";
import { CompiledQuery, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgresJs from "postgres";
import { EXPIRY, FILLER, idOf, rows } from "../backend.ts";
import type { Client } from "./client.ts";

interface Connected {
  readonly client: PostgresDriverOptions["client"];
  /** One statement by hand, with values for `$1`, `$2`. */
  query(text: string, values: unknown[]): Promise<unknown>;
  close(): Promise<unknown>;
}

const SELECT = "SELECT version, expires_at, principal, fields FROM bench_client WHERE id = $1";
const UPDATE =
  "UPDATE bench_client SET fields = fields || $1::text::jsonb, version = version + 1 WHERE id = $2 AND expires_at > $3";

const ofPostgres = (
  name: string,
  packages: string[],
  connect: (url: string) => Promise<Connected>,
  service: Pick<Client, "service"> = { service: "postgres" },
): Client => ({
  ...{ driver: "postgres", name, packages, ...service },
  async open(url) {
    const { client, query, close } = await connect(url);
    await query(
      "CREATE TABLE IF NOT EXISTS bench_client (id text PRIMARY KEY, principal text, version bigint, expires_at bigint, fields jsonb)",
      [],
    );
    for (const row of rows)
      await query(
        "INSERT INTO bench_client VALUES ($1, NULL, 1, $2, $3::text::jsonb) ON CONFLICT DO NOTHING",
        [idOf(row), EXPIRY, JSON.stringify({ "filler/x": FILLER })],
      );
    return {
      driver: (namespace, timeout) => postgresDriver({ client, table: namespace, timeout }),
      bare: {
        load: (row) => query(SELECT, [idOf(row)]),
        commit: (row, text) => query(UPDATE, [JSON.stringify({ "a/x": text }), idOf(row), Date.now()]),
      },
      close,
    };
  },
});

function poolTo(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString });
  pool.on("error", () => {});
  // Kysely does not listen to a connection that it was lent.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

export const postgresClients: readonly Client[] = [
  ofPostgres("pg", ["pg"], async (url) => {
    const pool = poolTo(url);
    return {
      client: pool,
      query: (text, values) => pool.query(text, values),
      close: () => pool.end(),
    };
  }),
  ofPostgres("postgres.js", ["postgres"], async (url) => {
    const sql = postgresJs(url, { onnotice: () => {} });
    return {
      client: sql,
      query: (text, values) => sql.unsafe(text, values.map(String), { prepare: true }),
      close: () => sql.end({ timeout: 0 }),
    };
  }),
  ofPostgres(
    "PGlite",
    ["@electric-sql/pglite"],
    async () => {
      const database = await PGlite.create();
      return {
        client: database,
        query: (text, values) => database.query(text, values),
        close: () => database.close(),
      };
    },
    {},
  ),
  ofPostgres("knex", ["knex"], async (url) => {
    const db = knex({ client: "pg", connection: url });
    return {
      client: db,
      query: (text, values) => db.raw(text.replaceAll(/\$\d/g, "?"), values.map(String)),
      close: () => db.destroy(),
    };
  }),
  ofPostgres("Kysely", ["kysely"], async (url) => {
    const db = new Kysely<never>({ dialect: new PostgresDialect({ pool: poolTo(url) }) });
    return {
      client: db,
      query: (text, values) => db.executeQuery(CompiledQuery.raw(text, values)),
      close: () => db.destroy(),
    };
  }),
  ofPostgres("Drizzle", ["drizzle-orm"], async (url) => {
    const pool = poolTo(url);
    const db = drizzle(pool);
    return {
      client: db,
      query: (text, values) => db.$client.query(text, values),
      close: () => pool.end(),
    };
  }),
];
