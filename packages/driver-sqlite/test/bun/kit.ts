// Bun runs this file. It prints one line of JSON: what the kit says of `bun:sqlite`, and what became of further calls.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runConformance } from "@sessions/conformance";
import { begin, newId } from "@sessions/driver-tests/records";
import { type SqliteClientLike, sqliteDriver } from "../../src/index.ts";

interface BunDatabase extends SqliteClientLike {
  close(): void;
}
// The compiler knows no modules of Bun.
const name: string = "bun:sqlite";
const { Database }: { Database: new (path: string, options?: object) => BunDatabase } = await import(name);

const folder = mkdtempSync(join(tmpdir(), "sessions-sqlite-"));
const path = join(folder, "sessions.db");
const open = (options?: object): BunDatabase =>
  new Database(path, { create: true, readwrite: true, ...options });

const handles = Array.from({ length: 3 }, () => open());
let opened = 0;
const { results } = await runConformance({
  name: "bun:sqlite",
  open(namespace) {
    const client = handles[opened++ % handles.length];
    if (!client) throw new Error("No handle");
    return sqliteDriver({ client, table: namespace, timeout: 500 });
  },
  // An open transaction of the application keeps the driver from using the handle.
  outage: {
    cut: async () => handles.forEach((handle) => void handle.exec("BEGIN")),
    restore: async () => handles.forEach((handle) => void handle.exec("ROLLBACK")),
  },
});

// Integers as bigints, and strict binding, make no difference.
const client = open({ safeIntegers: true, strict: true });
const driver = sqliteDriver({ client, table: "settings" });
await driver.setup();
const id = await begin(driver, { expiresAt: 8_640_000_000_000_000 });
const change = { fields: new Map([["a/x", "1"]]), ifVersion: 1 };
const settings = [
  await driver.check(),
  await driver.load(newId()),
  await driver.commit(id, change, Date.now()),
  (await driver.load(id))?.expiresAt,
];

// A closed handle is an error that says so.
client.close();
const closed = await driver.load(id).catch((error: unknown) => String(error));

for (const handle of handles) handle.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ results, settings, closed }));
process.exit(0);
