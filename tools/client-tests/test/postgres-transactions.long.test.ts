import { AsyncLocalStorage } from "node:async_hooks";
import { type PostgresDriverOptions, postgresDriver } from "@sessions/driver-postgres";
import { withService } from "@sessions/driver-tests";
import { begin, newId } from "@sessions/driver-tests/records";
import { drizzle } from "drizzle-orm/node-postgres";
import { drizzle as drizzleOverPostgresJs } from "drizzle-orm/postgres-js";
import { Kysely, PostgresDialect, sql } from "kysely";
import { Sequelize } from "sequelize";
import { afterAll, expect, test } from "vitest";
import { openPostgresClients } from "./postgres-clients.ts";
import { openPostgresOrms } from "./postgres-orms.ts";

type Check = (client: unknown) => Promise<void>;
/** Gives a client to the check while the application has a transaction open, and rolls that back. */
type InTransaction = (check: Check) => Promise<unknown>;

class RolledBack extends Error {}

/** For a transaction that ends when its callback throws. `client` is given instead of the transaction. */
const thrown =
  (run: (work: (tx: unknown) => Promise<never>) => unknown, client?: unknown): InTransaction =>
  async (check) => {
    try {
      await run(async (tx) => {
        await check(client ?? tx);
        throw new RolledBack();
      });
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error;
    }
  };

const refusal = (give: string): RegExp =>
  new RegExp(`client must be ${give}, because what a transaction rolls back would be lost`);
const A_TRANSACTION = /client must be a Pool .* got a pipeline or a transaction/;
const IN_THE_WAY = /the application has a transaction open .* Nothing was changed/;
const RAN_INSIDE = /ran in an open transaction of the application/;
/** It is on another connection than the transaction, so that it stands. */
const COMMITTED = /^committed$/;

await withService("postgres", async (service) => {
  const open = await openPostgresClients(service.url);
  const orms = await openPostgresOrms(service.url);
  const { kysely, mikroOrm, prisma, sequelize, typeorm } = orms;
  const { pglite } = open;
  const table = `t_${newId().slice(0, 12)}`;
  const direct = postgresDriver({ client: open.pool(), table });
  const inPglite = postgresDriver({ client: pglite, table });
  await direct.setup();
  await inPglite.setup();
  afterAll(() => direct.teardown());

  /** A Client of pg on which the application has begun a transaction by a statement. */
  const byHand = async (
    client: { query(text: string): Promise<unknown> },
    check: Check,
    given: unknown = client,
  ) => {
    await client.query("BEGIN");
    await check(given);
    await client.query("ROLLBACK");
  };
  const kyselyOnOne = () => new Kysely<object>({ dialect: new PostgresDialect({ pool: open.pool(1) }) });
  const sequelizeTransaction = thrown((work) => sequelize.transaction(work), sequelize);

  const cases: Record<string, [RegExp, InTransaction]> = {
    "pg: a Client": [IN_THE_WAY, async (check) => byHand(await open.client(), check)],
    "pg: a Client before version 8.21": [
      // Its first call after the driver has begun to listen.
      RAN_INSIDE,
      async (check) => byHand(await open.olderClient(), check),
    ],
    "pg: a Client whose BEGIN is on its way": [
      RAN_INSIDE,
      async (check) => {
        const client = await open.client();
        const begun = client.query("BEGIN");
        await check(client);
        await begun;
        await client.query("ROLLBACK");
      },
    ],
    "pg: a Client in a transaction that has failed": [
      IN_THE_WAY,
      async (check) => {
        const client = await open.client();
        await client.query("BEGIN");
        await client.query("SELECT 1 / 0").catch(() => {});
        await check(client);
        await client.query("ROLLBACK");
      },
    ],
    "pg: what connect() of a Pool lends": [
      refusal("the Pool"),
      async (check) => {
        const lent = await open.pool().connect();
        await byHand(lent, check);
        lent.release();
      },
    ],
    "pg: a Pool beside a transaction": [
      COMMITTED,
      async (check) => {
        const pool = open.pool();
        const lent = await pool.connect();
        await byHand(lent, check, pool);
        lent.release();
      },
    ],
    "pg: a Pool whose connection was released in a transaction": [
      RAN_INSIDE,
      async (check) => {
        const pool = open.pool(1);
        const lent = await pool.connect();
        await lent.query("BEGIN");
        lent.release();
        await check(pool);
      },
    ],
    "pg: a Pool before version 8.21 whose connection was released in a transaction": [
      RAN_INSIDE,
      async (check) => {
        const pool = open.pool(1);
        pool.on("connect", (client) => Object.assign(client, { getTransactionStatus: undefined }));
        const lent = await pool.connect();
        await lent.query("BEGIN");
        lent.release();
        await check(pool);
      },
    ],
    "pg: a Pool whose connection was released while its COMMIT was on its way": [
      COMMITTED,
      async (check) => {
        const pool = open.pool(1);
        const lent = await pool.connect();
        await lent.query("BEGIN");
        const ended = lent.query("COMMIT");
        lent.release();
        await check(pool);
        await ended;
      },
    ],

    "postgres.js: begin()": [A_TRANSACTION, thrown((work) => open.postgresJs().begin(work))],
    "postgres.js: savepoint()": [
      A_TRANSACTION,
      thrown((work) => open.postgresJs().begin((tx) => tx.savepoint(work))),
    ],
    "postgres.js: reserve()": [
      A_TRANSACTION,
      async (check) => {
        const reserved = await open.postgresJs().reserve();
        await check(reserved);
        reserved.release();
      },
    ],
    "postgres.js beside begin()": [
      COMMITTED,
      async (check) => {
        const client = open.postgresJs();
        await thrown((work) => client.begin(work), client)(check);
      },
    ],
    "postgres.js with max: 1": [
      RAN_INSIDE,
      async (check) => {
        const client = open.postgresJs({ max: 1 });
        await client`BEGIN`;
        await check(client);
        await client`ROLLBACK`;
      },
    ],

    "PGlite: transaction()": [A_TRANSACTION, thrown((work) => pglite.transaction(work))],
    "PGlite beside transaction()": [IN_THE_WAY, thrown((work) => pglite.transaction(work), pglite)],
    "PGlite after BEGIN": [IN_THE_WAY, (check) => byHand(pglite, check)],

    "knex: transaction()": [
      refusal("the instance of knex that began it"),
      thrown((work) => orms.knex.transaction(work)),
    ],
    "knex beside transaction()": [COMMITTED, thrown((work) => orms.knex.transaction(work), orms.knex)],

    "Kysely: transaction()": [
      refusal("the instance of Kysely that began it"),
      thrown((work) => kysely.transaction().execute(work)),
    ],
    "Kysely: startTransaction()": [
      refusal("the instance of Kysely that began it"),
      async (check) => {
        const trx = await kysely.startTransaction().execute();
        await check(trx);
        await trx.rollback().execute();
      },
    ],
    "Kysely: connection()": [
      refusal("the instance of Kysely that lent it"),
      (check) =>
        kysely.connection().execute(async (db) => {
          await sql`BEGIN`.execute(db);
          await check(db);
          await sql`ROLLBACK`.execute(db);
        }),
    ],
    "Kysely: connection() while one of its queries runs": [
      RAN_INSIDE,
      (check) =>
        kysely.connection().execute(async (db) => {
          await sql`BEGIN`.execute(db);
          const busy = sql`SELECT pg_sleep(0.1)`.execute(db);
          await check(db);
          await busy;
          await sql`ROLLBACK`.execute(db);
        }),
    ],
    "Kysely: a connection that was released in a transaction": [
      RAN_INSIDE,
      async (check) => {
        const one = kyselyOnOne();
        await one.connection().execute((db) => sql`BEGIN`.execute(db));
        await check(one);
        await one.connection().execute((db) => sql`ROLLBACK`.execute(db));
      },
    ],
    "Kysely beside transaction()": [COMMITTED, thrown((work) => kysely.transaction().execute(work), kysely)],

    "Drizzle: transaction()": [
      refusal("the database of Drizzle that began it"),
      thrown((work) => orms.drizzle.transaction(work)),
    ],
    "Drizzle over postgres.js: transaction()": [
      refusal("the database of Drizzle that began it"),
      thrown((work) => drizzleOverPostgresJs(open.postgresJs()).transaction(work)),
    ],
    "Drizzle over a Client of pg": [
      IN_THE_WAY,
      async (check) => {
        const client = await open.client();
        await byHand(client, check, drizzle(client));
      },
    ],
    "Drizzle over what connect() of a Pool lends": [
      refusal("the Pool"),
      async (check) => {
        const lent = await open.pool().connect();
        await byHand(lent, check, drizzle(lent));
        lent.release();
      },
    ],
    "Drizzle beside transaction()": [
      COMMITTED,
      thrown((work) => orms.drizzle.transaction(work), orms.drizzle),
    ],

    "Prisma: $transaction()": [
      refusal("the client of Prisma that began it"),
      thrown((work) => prisma.$transaction(work)),
    ],
    "Prisma beside $transaction()": [COMMITTED, thrown((work) => prisma.$transaction(work), prisma)],

    "Sequelize: transaction()": [
      refusal("the instance of Sequelize that began it"),
      thrown((work) => sequelize.transaction(work)),
    ],
    "Sequelize beside transaction()": [COMMITTED, sequelizeTransaction],
    "Sequelize with CLS, in transaction()": [
      COMMITTED,
      async (check) => {
        const storage = new AsyncLocalStorage<Map<string, unknown>>();
        Sequelize.useCLS({
          bind() {},
          get: (key: string) => storage.getStore()?.get(key),
          set: (key: string, value: unknown) => storage.getStore()?.set(key, value),
          run: (work: (context: unknown) => unknown) => storage.run(new Map(), () => work({})),
        });
        try {
          await sequelizeTransaction(check);
        } finally {
          Reflect.deleteProperty(Sequelize, "_cls");
        }
      },
    ],

    "TypeORM: the EntityManager of transaction()": [
      refusal("a DataSource of TypeORM"),
      thrown((work) => typeorm.transaction(work)),
    ],
    "TypeORM: a QueryRunner": [
      refusal("a DataSource of TypeORM"),
      async (check) => {
        const runner = typeorm.createQueryRunner();
        await runner.startTransaction();
        await check(runner);
        await runner.rollbackTransaction();
        await runner.release();
      },
    ],
    "TypeORM: the DataSource beside transaction()": [
      COMMITTED,
      thrown((work) => typeorm.transaction(work), typeorm),
    ],

    "MikroORM: transactional()": [
      refusal("MikroORM itself"),
      thrown((work) => mikroOrm.em.transactional(work)),
    ],
    "MikroORM: begin()": [
      refusal("MikroORM itself"),
      async (check) => {
        const em = mikroOrm.em.fork();
        await em.begin();
        await check(em);
        await em.rollback();
      },
    ],
    "MikroORM beside transactional()": [
      COMMITTED,
      thrown((work) => mikroOrm.em.transactional(work), mikroOrm.em.fork()),
    ],
  };

  test.each(Object.entries(cases))("%s: what is acknowledged stands", async (name, [says, inTransaction]) => {
    const driver = name.startsWith("PGlite") ? inPglite : direct;
    const id = await begin(driver);
    let said = "";
    await inTransaction(async (client) => {
      try {
        // Called as from JavaScript, without a check of types.
        const given = client as PostgresDriverOptions["client"];
        const change = { fields: new Map([["a/x", "1"]]) };
        said = await postgresDriver({ client: given, table, timeout: 1_000 }).commit(id, change, Date.now());
      } catch (error) {
        said = String(error);
      }
    });
    const stored = (await driver.load(id))?.fields.has("a/x");
    expect([said, stored]).toEqual([expect.stringMatching(says), said === "committed"]);
  });
});
