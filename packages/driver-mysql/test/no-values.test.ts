import { inspect } from "node:util";
import { withService } from "@sessions/driver-tests";
import { expect, test } from "vitest";
import { openDriver } from "./support.ts";

await withService("mysql", (service) => {
  test.each<[string, (table: string) => string]>([
    [
      "a trigger",
      (t) =>
        `CREATE TRIGGER no_${t} BEFORE INSERT ON ${t} FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'alice@example.com VALUE'`,
    ],
    [
      "a constraint",
      (t) => `ALTER TABLE ${t} ADD CONSTRAINT k_${t} CHECK (principal <> 'alice@example.com')`,
    ],
    ["a unique index", (t) => `ALTER TABLE ${t} ADD UNIQUE (principal)`],
  ])("no error shows a row that was refused by %s", async (_, sql) => {
    const { client, table, driver } = await openDriver({ uri: service.url });
    await client.query(sql(table));
    const record = { principal: "alice@example.com", fields: new Map([["a/x", "VALUE"]]), expiresAt: 2e12 };
    const make = async () => {
      await driver.create("1", record, 0);
      await driver.create("2", { ...record, principal: "bob" }, 0);
      await driver.commit("2", { fields: new Map(), principal: "alice@example.com" }, 0);
    };
    const error: unknown = await make().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ cause: { code: expect.stringMatching(/^ER_/) } });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/alice|VALUE/);
  });
});
