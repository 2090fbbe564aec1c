import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { type PostgresDriverOptions, postgresDriver } from "@sessions/driver-postgres";
import { withService } from "@sessions/driver-tests";
import { afterAll, describe, expect, test, vi } from "vitest";
import { openPostgresOrms } from "./postgres-orms.ts";

await withService("postgres", async (postgres) => {
  const line = await startProxy(postgres.url);
  afterAll(() => line.close());
  const { knex, kysely, prisma, sequelize, drizzle, typeorm, mikroOrm } = await openPostgresOrms(line.url);

  const target = (name: string, client: PostgresDriverOptions["client"]) => ({
    name,
    open: (namespace: string, about?: { outage: boolean }) =>
      postgresDriver({ client, table: namespace, timeout: about?.outage ? 1000 : 8000 }),
  });
  const orms = { knex, Kysely: kysely, Prisma: prisma, Sequelize: sequelize };
  describe.each(Object.entries(orms))("postgres: %s", (name, client) => {
    const outage = { cut: line.cut, restore: line.restore, drop: line.drop };
    testDriver({ test, target: { ...target(name, client), outage } });
  });

  // These hand out what passes the whole kit with outages, here or in the driver's own tests: knex, and a pool of pg.
  // So the rules of each method are enough.
  const some = Object.assign(
    (title: string, body: () => Promise<void>) => {
      if (/^R([1-7]|12)\./.test(title)) test(title, body);
    },
    { skip() {} },
  );
  const handing = { Drizzle: drizzle, TypeORM: typeorm, MikroORM: mikroOrm };
  test("Drizzle and TypeORM: the driver goes on with their own pool", async () => {
    for (const [client, own] of [
      [drizzle, drizzle.$client],
      [typeorm, Object(typeorm.driver).master],
    ] as const) {
      const connect = vi.spyOn(own, "connect");
      await postgresDriver({ client }).check();
      expect(connect).toHaveBeenCalled();
      connect.mockRestore();
    }
  });
  describe.each(Object.entries(handing))("postgres: %s", (name, client) => {
    testDriver({ test: some, target: target(name, client) });
  });
});
