import { type PostgresDriverOptions, postgresDriver } from "@sessions/driver-postgres";
import { testRefusals, withService } from "@sessions/driver-tests";
import { newId } from "@sessions/driver-tests/records";
import { describe, onTestFinished, test } from "vitest";
import { openPostgresClients } from "./postgres-clients.ts";
import { openPostgresOrms } from "./postgres-orms.ts";

await withService("postgres", async (service) => {
  const open = await openPostgresClients(service.url);
  const orms = await openPostgresOrms(service.url);
  const direct = open.pool();
  const clients: Record<string, PostgresDriverOptions["client"]> = {
    "a Pool of pg": open.pool(),
    "a Client of pg": await open.client(),
    "postgres.js": open.postgresJs(),
    neon: open.neon,
    PGlite: open.pglite,
    knex: orms.knex,
    Kysely: orms.kysely,
    Drizzle: orms.drizzle,
    Prisma: orms.prisma,
    Sequelize: orms.sequelize,
    TypeORM: orms.typeorm,
    MikroORM: orms.mikroOrm,
  };

  describe.each(Object.entries(clients))("through %s", (name, client) => {
    const run = (sql: string): Promise<unknown> =>
      client === open.pglite ? open.pglite.exec(sql) : direct.query(sql);
    async function driverWith(sql: string) {
      const table = `t_${newId().slice(0, 12)}`;
      const driver = postgresDriver({ client, table, timeout: 10_000 });
      await driver.setup();
      await run(sql.replaceAll("$T", table));
      onTestFinished(async () => void (await run(`DROP TABLE ${table}; DROP FUNCTION IF EXISTS ${table}_f`)));
      return driver;
    }
    const trigger = (body: string) => () =>
      driverWith(`CREATE FUNCTION $T_f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
        IF NEW.fields ? 'a/refused' THEN ${body} END IF; RETURN NEW; END $f$;
        CREATE TRIGGER t BEFORE INSERT OR UPDATE ON $T FOR EACH ROW EXECUTE FUNCTION $T_f()`);

    testRefusals(test, [
      {
        what: "a trigger that raises with the row",
        make: trigger("RAISE EXCEPTION 'refused: %', NEW USING DETAIL = NEW.id, COLUMN = NEW.id;"),
        tells: { code: "P0001", severity: "ERROR" },
      },
      {
        what: "a trigger that raises under the state of a missing permission",
        make: trigger("RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = NEW.fields::text;"),
        tells: { code: "42501" },
      },
      {
        what: "a trigger that raises under the state of a closed connection",
        make: trigger("RAISE EXCEPTION USING ERRCODE = '08006', MESSAGE = NEW.fields::text;"),
      },
      {
        what: "a trigger that raises at the end of the transaction",
        make: () =>
          driverWith(`CREATE FUNCTION $T_f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
            IF NEW.fields ? 'a/refused' THEN RAISE EXCEPTION 'refused: %', NEW; END IF; RETURN NEW; END $f$;
            CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON $T DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION $T_f()`),
      },
      {
        what: "a trigger that reads a value as a number",
        make: trigger("PERFORM (NEW.fields->>'a/refused')::int;"),
        tells: { code: "22P02" },
      },
      {
        what: "a CHECK that reads a value as the name of a table",
        make: () =>
          driverWith(
            "ALTER TABLE $T ADD CHECK (NOT fields ? 'a/refused' OR (fields->>'a/refused')::regclass > 0)",
          ),
      },
      {
        what: "a CHECK that reads a value as a query",
        make: () =>
          driverWith(
            "ALTER TABLE $T ADD CHECK (NOT fields ? 'a/refused' OR to_tsquery('simple', '!' || (fields->>'a/refused') || ' (') IS NULL)",
          ),
      },
      {
        what: "a CHECK",
        make: () => driverWith("ALTER TABLE $T ADD CONSTRAINT no_x CHECK (NOT fields ? 'a/refused')"),
        tells: { code: "23514", ...(name !== "Prisma" && { constraint: "no_x" }) },
      },
    ]);
  });
});
