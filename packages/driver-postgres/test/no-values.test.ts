import { inspect } from "node:util";
import { withService } from "@sessions/driver-tests";
import { expect, test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { begin, newTable, openPool } from "./support.ts";

await withService("postgres", (postgres) => {
  const trigger = (raise: string) => (t: string) =>
    `CREATE FUNCTION ${t}_f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ${raise}; END $f$;
     CREATE TRIGGER no BEFORE INSERT ON ${t} FOR EACH ROW EXECUTE FUNCTION ${t}_f()`;
  test.each<[string, (table: string) => string]>([
    ["a constraint", (t) => `ALTER TABLE ${t} ADD CONSTRAINT k CHECK (version < 1)`],
    ["a column that is never set", (t) => `ALTER TABLE ${t} ADD COLUMN tenant int NOT NULL`],
    ["a trigger, in its detail", trigger("'no' USING DETAIL = NEW::text")],
    ["a trigger, in its message", trigger("'no: %', NEW USING ERRCODE = 'check_violation'")],
    ["a trigger's data exception", trigger("'%', NEW.principal::int")],
  ])("no error shows a row that was refused by %s", async (_, sql) => {
    const client = openPool(postgres.url);
    const table = newTable();
    const driver = postgresDriver({ client, table });
    await driver.setup();
    await client.query(sql(table));
    const record = { principal: "alice@example.com", fields: new Map([["a/x", "VALUE"]]) };
    const error: unknown = await begin(driver, record).catch((thrown: unknown) => thrown);
    await client.query(`DROP TABLE ${table}; DROP FUNCTION IF EXISTS ${table}_f`);
    expect(error).toMatchObject({ cause: { code: expect.stringMatching(/^\w{5}$/), severity: "ERROR" } });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/alice|VALUE/);
  });
});
