import { testDriver } from "@sessions/conformance";
import Database from "better-sqlite3";
import { afterAll, describe, test } from "vitest";
import { sqliteDriver } from "../src/index.ts";
import { newFile } from "./support.ts";

const { path, remove } = newFile();
afterAll(remove);

describe("sqlite: better-sqlite3, one handle", () => {
  const client = new Database(path);
  afterAll(() => {
    client.close();
  });
  testDriver({
    test,
    target: {
      name: "sqlite",
      open: (namespace) => sqliteDriver({ client, table: namespace, timeout: 500 }),
      // An open transaction of the application keeps the driver from using the handle.
      outage: {
        cut: async () => void client.exec("BEGIN"),
        restore: async () => void client.exec("ROLLBACK"),
      },
    },
  });
});
