import { PGlite } from "@electric-sql/pglite";
import { type NeonQueryFunction, neon, neonConfig } from "@neondatabase/serverless";
import { startNeonFront } from "@sessions/test-services/neon-front";
import pg from "pg";
import postgres from "postgres";
import { afterAll } from "vitest";

interface PostgresClients {
  pool(max?: number): pg.Pool;
  client(): Promise<pg.Client>;
  /** A client as in the versions of pg that do not tell whether a transaction is open. */
  olderClient(): Promise<pg.Client>;
  postgresJs(options?: { max: number }): postgres.Sql;
  readonly neon: NeonQueryFunction<false, false>;
  readonly pglite: PGlite;
}

/** The clients that the driver for PostgreSQL takes in Node, on one server, until the file's tests are over. */
export async function openPostgresClients(url: string): Promise<PostgresClients> {
  const closing: (() => unknown)[] = [];
  const closes = <T>(client: T, close: (client: T) => unknown): T => {
    closing.unshift(() => close(client));
    return client;
  };
  afterAll(async () => {
    for (const close of closing) await close();
  });

  const pool = (max = 5): pg.Pool => {
    const made = closes(new pg.Pool({ connectionString: url, max }), (it) => it.end());
    made.on("error", () => {});
    return made;
  };
  const client = async (): Promise<pg.Client> => {
    const made = closes(new pg.Client(url), (it) => it.end());
    await made.connect();
    return made;
  };
  const behind = pool();
  const front = closes(
    await startNeonFront(async (text, values) => {
      const types = { getTypeParser: () => (value: unknown) => value };
      const found = await behind.query<(string | null)[]>({ text, values, rowMode: "array", types });
      return { ...found, fields: found.fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })) };
    }),
    (it) => it.close(),
  );
  neonConfig.fetchEndpoint = () => front.url;
  return {
    pool,
    client,
    olderClient: async () => Object.assign(await client(), { getTransactionStatus: undefined }),
    postgresJs: (options) => closes(postgres(url, options), (it) => it.end({ timeout: 0 })),
    neon: neon("postgres://user:hunter2@one.neon.tech/app"),
    pglite: closes(await PGlite.create(), (it) => it.close()),
  };
}
