import { inspect } from "node:util";
import { testRefusals } from "@sessions/driver-tests";
import { begin } from "@sessions/driver-tests/records";
import type Database from "better-sqlite3";
import { expect, test } from "vitest";
import { sqliteDriver } from "../src/index.ts";
import { definition, openFile, ownFile } from "./support.ts";

const REFUSED = `(fields LIKE '%a/refused%')`;

/** A driver whose table has a changed definition, or triggers before each write. */
async function driverWith({ column = "", body = "" }, client: Database.Database = openFile(ownFile())) {
  client.exec(`PRAGMA journal_mode = WAL; ${definition().replace(/(fields +TEXT NOT NULL)/, `$1${column}`)}`);
  for (const event of body === "" ? [] : ["INSERT", "UPDATE"])
    client.exec(
      `CREATE TRIGGER on_${event} BEFORE ${event} ON sessions WHEN NEW.${REFUSED.slice(1, -1)} BEGIN ${body}; END`,
    );
  return sqliteDriver({ client });
}
const hidden = { message: expect.stringContaining("Its message may hold the row, so it is left out") };

testRefusals(test, [
  {
    what: "a CHECK",
    make: () => driverWith({ column: ` CONSTRAINT no_x CHECK (NOT ${REFUSED})` }),
    tells: { code: "SQLITE_CONSTRAINT_CHECK", message: "CHECK constraint failed: no_x" },
  },
  {
    what: "a column that must not be NULL",
    make: () =>
      driverWith({
        column: `, tenant INTEGER NOT NULL AS (CASE WHEN ${REFUSED} THEN NULL ELSE 1 END) STORED`,
      }),
    tells: { code: "SQLITE_CONSTRAINT_NOTNULL", message: "NOT NULL constraint failed: sessions.tenant" },
  },
  {
    what: "a trigger that raises with the row",
    make: () => driverWith({ body: "SELECT RAISE(ABORT, NEW.fields || NEW.principal || NEW.id)" }),
    tells: { ...hidden, code: "SQLITE_CONSTRAINT_TRIGGER" },
  },
  {
    what: "a trigger that reads a value as a path",
    make: () => driverWith({ body: `SELECT json_extract('{}', NEW.fields ->> '$."a/refused"')` }),
    tells: { ...hidden, code: "SQLITE_ERROR" },
  },
  {
    what: "a function of the application's that throws with the row",
    make: async () => {
      const client = openFile(ownFile());
      client.function("refuse", (fields) => {
        throw Object.assign(new TypeError(`refused ${fields}`), { fields });
      });
      return driverWith({ body: "SELECT refuse(NEW.fields)" }, client);
    },
    tells: { ...hidden, name: "TypeError" },
  },
]);

test("a row with malformed JSON is an error that shows none of it", async () => {
  const client = openFile(ownFile());
  const driver = sqliteDriver({ client });
  await driver.setup();
  const id = await begin(driver);
  client.exec("UPDATE sessions SET fields = 'VALUE-OF-ALICE'");
  for (const call of [() => driver.load(id), () => driver.list({ limit: 1 }, 0)]) {
    const error: unknown = await call().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ERR_SESSION_CODEC" });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("VALUE");
  }
});
