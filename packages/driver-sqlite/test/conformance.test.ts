import { testDriver } from "@sessions/conformance";
import Database from "better-sqlite3";
import { afterAll, describe, test } from "vitest";
import { fromUrl, sqliteDriver } from "../src/index.ts";
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

describe("sqlite: better-sqlite3, a handle each", () => {
  const handles: Database.Database[] = [];
  afterAll(() => {
    for (const handle of handles) handle.close();
  });
  testDriver({
    test,
    target: {
      name: "sqlite",
      open(namespace) {
        const client = new Database(path);
        handles.push(client);
        return sqliteDriver({ client, table: namespace, timeout: 500 });
      },
      outage: {
        cut: async () => handles.forEach((handle) => void handle.exec("BEGIN")),
        restore: async () => handles.forEach((handle) => void handle.exec("ROLLBACK")),
      },
    },
  });
});

describe("sqlite: fromUrl", () => {
  testDriver({
    test,
    // Nothing can take an open file away from the driver, so this target has no outage; from-url.test.ts has errors.
    target: { name: "sqlite", open: (namespace) => fromUrl(`sqlite://${path}`, { table: namespace }) },
  });
});
