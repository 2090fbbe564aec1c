import { testRefusals, withService } from "@sessions/driver-tests";
import { expect, onTestFinished, test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { newTable, openPool } from "./support.ts";

await withService("postgres", (postgres) => {
  async function driverWith(sql: string) {
    const pool = openPool(postgres.url);
    const table = newTable();
    const driver = postgresDriver({ client: pool, table });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    await pool.query(sql.replaceAll("$T", table));
    onTestFinished(async () => {
      await openPool(postgres.url).query(`DROP FUNCTION IF EXISTS ${table}_f CASCADE`);
    });
    return driver;
  }
  /** A trigger before each write of a row that has the field. */
  const trigger = (body: string) =>
    driverWith(`CREATE FUNCTION $T_f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
      IF NEW.fields ? 'a/refused' THEN ${body} END IF; RETURN NEW; END $f$;
      CREATE TRIGGER t BEFORE INSERT OR UPDATE ON $T FOR EACH ROW EXECUTE FUNCTION $T_f()`);

  testRefusals(test, [
    {
      what: "a CHECK",
      make: () => driverWith("ALTER TABLE $T ADD CONSTRAINT no_x CHECK (NOT fields ? 'a/refused')"),
      tells: {
        code: "23514",
        severity: "ERROR",
        constraint: "no_x",
        message: expect.stringContaining("no_x"),
      },
    },
    {
      what: "a column that must not be NULL",
      make: () =>
        driverWith(
          "ALTER TABLE $T ADD COLUMN tenant int GENERATED ALWAYS AS (CASE WHEN fields ? 'a/refused' THEN NULL ELSE 1 END) STORED NOT NULL",
        ),
      tells: { code: "23502", column: "tenant" },
    },
    {
      what: "an index on a field",
      make: () =>
        driverWith(
          "CREATE UNIQUE INDEX ON $T ((fields ? 'a/refused')) WHERE fields ? 'a/refused'; INSERT INTO $T VALUES ('y', 1, 1e15, NULL, '{\"a/refused\":\"\"}')",
        ),
      tells: { code: "23505" },
    },
    {
      what: "a trigger that raises with the row",
      make: () =>
        trigger(
          "RAISE EXCEPTION 'refused: %', NEW USING DETAIL = NEW.fields::text, HINT = NEW.principal, TABLE = NEW.principal, COLUMN = NEW.id, CONSTRAINT = NEW.id, SCHEMA = NEW.id, DATATYPE = NEW.id;",
        ),
      tells: { code: "P0001", severity: "ERROR" },
    },
    {
      what: "a trigger that raises under the state of another error",
      make: () => trigger("RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = NEW.fields::text;"),
      tells: { code: "42501" },
    },
    {
      what: "a trigger that reads a value as a number",
      make: () => trigger("PERFORM (NEW.fields->>'a/refused')::int;"),
      tells: { code: "22P02" },
    },
    {
      what: "a trigger whose statement fails",
      make: () => trigger("EXECUTE 'SELECT ' || quote_ident(NEW.fields->>'a/refused');"),
    },
    {
      what: "a column of another form",
      make: () =>
        driverWith(
          "ALTER TABLE $T ADD COLUMN n int GENERATED ALWAYS AS (CASE WHEN fields ? 'a/refused' THEN (fields->>'a/refused')::int ELSE 1 END) STORED",
        ),
      tells: { code: "22P02" },
    },
  ]);
});
