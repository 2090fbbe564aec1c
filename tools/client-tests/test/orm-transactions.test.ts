import { MikroORM } from "@mikro-orm/better-sqlite";
import { type SqliteDriverOptions, sqliteDriver } from "@sessions/driver-sqlite";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import knex from "knex";
import { Kysely, SqliteDialect } from "kysely";
import pg from "pg";
import { Sequelize, Transaction } from "sequelize";
import { DataSource } from "typeorm";
import { expect, onTestFinished, test } from "vitest";
import { type PrismaClient, prismaSqlite } from "./prisma.ts";

const memory = (): Database.Database => {
  const handle = new Database(":memory:");
  onTestFinished(() => void handle.close());
  return handle;
};

/** The driver's verdict on a client of any type. */
function verdict(client: unknown): string {
  try {
    // Called as from JavaScript, without a check of types.
    sqliteDriver({ client: client as SqliteDriverOptions["client"] });
    return "fits";
  } catch (error) {
    return String(error);
  }
}

const refusal = (instead: string, got: string): string =>
  `SessionConfigError: client must be ${instead}, because what a transaction rolls back would be lost after it was acknowledged; got ${got}`;

/** Runs a test in an ORM's transaction. */
const transactions: Record<string, (check: (tx: unknown) => void) => unknown> = {
  async knex(check) {
    const db = knex({
      client: "better-sqlite3",
      connection: { filename: ":memory:" },
      useNullAsDefault: true,
    });
    onTestFinished(() => db.destroy());
    expect(verdict(db)).toBe("fits");
    await db.transaction(async (trx) => check(trx));
  },
  async Kysely(check) {
    const db = new Kysely({ dialect: new SqliteDialect({ database: memory() }) });
    expect(verdict(db)).toBe("fits");
    await db.transaction().execute(async (trx) => check(trx));
  },
  async "Kysely, controlled"(check) {
    const db = new Kysely({ dialect: new SqliteDialect({ database: memory() }) });
    const trx = await db.startTransaction().execute();
    check(trx);
    await trx.rollback().execute();
  },
  Drizzle(check) {
    const db = drizzle(memory());
    expect(verdict(db)).toBe("fits");
    db.transaction((tx) => check(tx));
  },
  async Prisma(check) {
    const db: PrismaClient = prismaSqlite(":memory:");
    onTestFinished(() => db.$disconnect());
    await db.$transaction(async (tx) => check(tx));
  },
  async "TypeORM: EntityManager"(check) {
    const source = new DataSource({ type: "better-sqlite3", database: ":memory:" });
    await source.initialize();
    onTestFinished(() => source.destroy());
    expect(verdict(source)).toBe("fits");
    await source.transaction(async (manager) => check(manager));
  },
  "TypeORM: QueryRunner": (check) =>
    check(new DataSource({ type: "better-sqlite3", database: ":memory:" }).createQueryRunner()),
  Sequelize: (check) =>
    check(new Transaction(new Sequelize("postgres://localhost", { dialectModule: pg, logging: false }), {})),
  async MikroORM(check) {
    const orm = await MikroORM.init({
      dbName: ":memory:",
      entities: [],
      discovery: { warnWhenNoEntities: false },
    });
    onTestFinished(() => orm.close());
    expect(verdict(orm)).toBe("fits");
    expect(verdict(orm.em)).toBe("fits");
    await orm.em.transactional(async (em) => check(em));
  },
};

const said: Record<string, string> = {
  knex: refusal("the instance of knex that began it", "a transaction of knex"),
  Kysely: refusal("the instance of Kysely that began it", "a transaction of Kysely"),
  "Kysely, controlled": refusal("the instance of Kysely that began it", "a transaction of Kysely"),
  Drizzle: refusal("the database of Drizzle that began it", "a transaction of Drizzle"),
  Prisma: refusal("the client of Prisma that began it", "a transaction of Prisma"),
  "TypeORM: EntityManager": refusal(
    "a DataSource of TypeORM",
    "an entity manager or a query runner of TypeORM",
  ),
  "TypeORM: QueryRunner": refusal(
    "a DataSource of TypeORM",
    "an entity manager or a query runner of TypeORM",
  ),
  Sequelize: refusal("the instance of Sequelize that began it", "a transaction of Sequelize"),
  MikroORM: refusal("MikroORM itself", "an entity manager of MikroORM in a transaction"),
};

test.each(Object.entries(transactions))("a transaction of %s is refused", async (name, run) => {
  let found: string | undefined;
  await run((tx) => {
    found = verdict(tx);
  });
  expect(found).toBe(said[name]);
});

test("a dialect of Kysely that does not say how many rows a statement changed is refused at the first write", async () => {
  class Silent extends SqliteDialect {
    override createDriver() {
      const driver = super.createDriver();
      const acquire = driver.acquireConnection.bind(driver);
      driver.acquireConnection = async () => {
        const connection = await acquire();
        const executeQuery: typeof connection.executeQuery = async (query) => ({
          rows: (await connection.executeQuery<never>(query)).rows,
        });
        return Object.create(connection, { executeQuery: { value: executeQuery } });
      };
      return driver;
    }
  }
  const driver = sqliteDriver({ client: new Kysely({ dialect: new Silent({ database: memory() }) }) });
  await driver.setup();
  const record = { expiresAt: Date.now() + 60_000, fields: new Map() };
  await expect(driver.create("a".repeat(32), record, Date.now())).rejects.toMatchObject({
    code: "ERR_SESSION_CONFIG",
    message: expect.stringContaining("client must say how many rows a statement changed"),
  });
});

test("an ORM that cannot give what the driver needs is refused with what to give instead", () => {
  expect(verdict(prismaSqlite(":memory:"))).toMatch(
    /client must be a handle of better-sqlite3 .*; got a client of Prisma/,
  );
  expect(verdict(new DataSource({ type: "better-sqlite3", database: ":memory:" }))).toMatch(
    /await dataSource\.initialize\(\) first; got a DataSource/,
  );
  expect(verdict(knex({ client: "pg", connection: "postgres://localhost" }))).toMatch(
    /client must be on SQLite; got an instance of knex on postgres/,
  );
});
