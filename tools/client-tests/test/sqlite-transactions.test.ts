import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { MikroORM } from "@mikro-orm/better-sqlite";
import { DatabaseSync } from "@photostructure/sqlite";
import { type SqliteDriverOptions, sqliteDriver } from "@sessions/driver-sqlite";
import { begin } from "@sessions/driver-tests/records";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import knex from "knex";
import { CompiledQuery, Kysely, SqliteDialect } from "kysely";
import Libsql from "libsql";
import { DataSource } from "typeorm";
import { describe, expect, onTestFinished, test } from "vitest";

type Client = SqliteDriverOptions["client"];

/** An open transaction of the application. */
interface Transaction {
  run(sql: string): unknown;
  commit(): unknown;
  rollback(): unknown;
}

interface Application {
  readonly client: Client;
  begin(): Transaction | Promise<Transaction>;
}

function ownFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "sessions-transactions-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "app.db");
}

/** An application that writes BEGIN, COMMIT and ROLLBACK by hand. */
const byHand = (client: Client, run: (sql: string) => unknown): Application => ({
  client,
  async begin() {
    await run("BEGIN");
    return { run, commit: () => run("COMMIT"), rollback: () => run("ROLLBACK") };
  },
});

function handle(): Database.Database {
  const made = new Database(ownFile());
  onTestFinished(() => void made.close());
  return made;
}

function kyselyOn(database: Database.Database): Kysely<unknown> {
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  onTestFinished(() => db.destroy());
  return db;
}

const applications: Record<string, () => Application | Promise<Application>> = {
  "better-sqlite3"() {
    const client = handle();
    return byHand(client, (sql) => client.exec(sql));
  },
  "better-sqlite3, in a rollback journal"() {
    const client = handle();
    return byHand(client, (sql) => client.exec(sql));
  },
  // As node:sqlite before Node 22.16.
  "a handle that does not tell of transactions"() {
    const inner = handle();
    const client = { prepare: (sql: string) => inner.prepare(sql), exec: (sql: string) => inner.exec(sql) };
    return byHand(client, client.exec);
  },
  "a handle that does not tell of transactions, in a rollback journal"() {
    const inner = handle();
    const client = { prepare: (sql: string) => inner.prepare(sql), exec: (sql: string) => inner.exec(sql) };
    return byHand(client, client.exec);
  },
  libsql() {
    const client = new Libsql(ownFile());
    onTestFinished(() => void client.close());
    return byHand(client, (sql) => client.exec(sql));
  },
  "@photostructure/sqlite"() {
    const client = new DatabaseSync(ownFile());
    onTestFinished(() => client.close());
    return byHand(client, (sql) => client.exec(sql));
  },
  "@libsql/client"() {
    const client = createClient({ url: `file:${ownFile()}` });
    onTestFinished(() => client.close());
    return {
      client,
      async begin() {
        const transaction = await client.transaction("write");
        return {
          run: (sql) => transaction.execute(sql),
          commit: () => transaction.commit(),
          rollback: () => transaction.rollback(),
        };
      },
    };
  },
  async knex() {
    const connection = { filename: ownFile() };
    const client = knex({ client: "better-sqlite3", connection, useNullAsDefault: true });
    onTestFinished(() => client.destroy());
    return {
      client,
      async begin() {
        const transaction = await client.transaction();
        return {
          run: async (sql) => transaction.raw(sql),
          commit: () => transaction.commit(),
          rollback: () => transaction.rollback(),
        };
      },
    };
  },
  Kysely() {
    const client = kyselyOn(handle());
    return {
      client,
      async begin() {
        const transaction = await client.startTransaction().execute();
        return {
          run: (sql) => transaction.executeQuery(CompiledQuery.raw(sql)),
          commit: () => transaction.commit().execute(),
          rollback: () => transaction.rollback().execute(),
        };
      },
    };
  },
  "Kysely, by hand"() {
    const client = kyselyOn(handle());
    return byHand(client, (sql) => client.executeQuery(CompiledQuery.raw(sql)));
  },
  Drizzle() {
    const client = drizzle(handle());
    return byHand(client, (sql) => client.run(sql));
  },
  async TypeORM() {
    const client = new DataSource({ type: "better-sqlite3", database: ownFile() });
    await client.initialize();
    onTestFinished(() => client.destroy());
    return {
      client,
      async begin() {
        const runner = client.createQueryRunner();
        await runner.startTransaction();
        return {
          run: (sql) => runner.query(sql),
          commit: () => runner.commitTransaction(),
          rollback: () => runner.rollbackTransaction(),
        };
      },
    };
  },
  async MikroORM() {
    const client = await MikroORM.init({
      dbName: ownFile(),
      entities: [],
      discovery: { warnWhenNoEntities: false },
    });
    onTestFinished(() => client.close());
    return {
      client,
      async begin() {
        const em = client.em.fork();
        await em.begin();
        return {
          run: (sql) => em.execute(sql),
          commit: () => em.commit(),
          rollback: () => em.rollback(),
        };
      },
    };
  },
};

describe("while a transaction of the application is open, what is acknowledged is not undone with it", () => {
  test.each(Object.entries(applications))("%s", async (name, open) => {
    const { client, begin: beginTransaction } = await open();
    const driver = sqliteDriver({ client, timeout: 4_000 });
    const hasty = sqliteDriver({ client, timeout: 150 });
    await driver.setup();
    // setup() has put the file into WAL mode.
    if (name.endsWith("in a rollback journal") && "exec" in client)
      client.exec("PRAGMA journal_mode = DELETE");
    const id = await begin(driver);
    const change = { fields: new Map([["a/x", "1"]]) };

    const first = await beginTransaction();
    await first.run("UPDATE sessions SET version = 99");
    const [loaded, committed] = await Promise.allSettled([
      hasty.load(id),
      hasty.commit(id, change, Date.now()),
    ]);
    if (loaded.status === "fulfilled") expect(loaded.value?.version).toBe(1);
    else expect(loaded.reason).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    if (committed.status === "rejected")
      expect(committed.reason).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    await first.rollback();
    expect((await driver.load(id))?.version).toBe(committed.status === "fulfilled" ? 2 : 1);

    // The driver leaves the transaction as it is.
    const second = await beginTransaction();
    await second.run("UPDATE sessions SET version = 50");
    await hasty.load(id).catch(() => {});
    await hasty.destroy(id, Date.now()).catch(() => {});
    await second.commit();
    expect((await driver.load(id))?.version).toBe(50);
    expect(await driver.commit(id, change, Date.now())).toBe("committed");
  });
});
