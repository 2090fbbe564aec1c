import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { inspect } from "node:util";
import { SessionConfigError } from "@sessions/core";
import { begin, newId } from "@sessions/driver-tests/records";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fromUrl, type SqliteUrlOptions } from "../src/index.ts";
import { here } from "./programs.ts";
import { openFile, ownFile, pluck } from "./support.ts";

async function opened(url: string, options?: SqliteUrlOptions) {
  const driver = await fromUrl(url, options);
  onTestFinished(() => driver.close());
  return driver;
}

describe("a URL", () => {
  const inside = (path: string) => relative(process.cwd(), path);
  test.each<[string, (path: string) => string]>([
    ["sqlite:///absolute/path", (path) => `sqlite://${path}`],
    ["sqlite:/absolute/path", (path) => `sqlite:${path}`],
    ["sqlite:relative/path", (path) => `sqlite:${inside(path)}`],
    ["sqlite:./relative/path", (path) => `sqlite:./${inside(path)}`],
    ["SQLITE:", (path) => `SQLITE:${path}`],
  ])("%s names a file", async (_, urlOf) => {
    const path = ownFile();
    await (await opened(urlOf(path))).setup();
    expect(pluck(openFile(path), "SELECT count(*) FROM sessions")).toBe(0);
  });

  test("may have escapes", async () => {
    const path = join(dirname(ownFile()), "50% of #1?.db");
    const escaped = path.split("/").map(encodeURIComponent).join("/");
    await (await opened(`sqlite://${escaped}`)).setup();
    expect(existsSync(path)).toBe(true);
  });

  test("sqlite::memory: is a database of the driver's own", async () => {
    const [driver, other] = [await opened("sqlite::memory:"), await opened("sqlite::memory:")];
    await driver.setup();
    expect(await driver.check()).toEqual([]);
    const id = await begin(driver);
    await other.setup();
    expect(await other.load(id)).toBeUndefined();
    expect((await driver.load(id))?.version).toBe(1);
  });

  test.each([
    "",
    "sqlite:",
    "sqlite://",
    "sqlite://secret.db",
    "sqlite:////secret.db",
    "sqlite:secret/",
    "sqlite:secret.db?mode=ro",
    "sqlite:secret.db#x",
    "sqlite:secret%.db",
    "file:secret.db",
    "secret.db",
  ])("that is none is refused without being shown: %s", async (url) => {
    const thrown = await fromUrl(url).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SessionConfigError);
    expect(String(thrown)).toMatch(/sqlite:\.\/sessions\.db/);
    expect(inspect(thrown)).not.toContain("secret");
  });
});

test("options go to the driver, and a bad one is named at once", async () => {
  const path = ownFile();
  await (await opened(`sqlite:${path}`, { table: "other" })).setup();
  expect(pluck(openFile(path), "SELECT count(*) FROM other")).toBe(0);
  await expect(fromUrl(`sqlite:${path}`, { timeout: 0 })).rejects.toThrow(/timeout must be/);
});

test.skipIf(process.platform === "win32")(
  "a file behind a link that leads nowhere yet is private too",
  async () => {
    const path = ownFile();
    symlinkSync(`${path}-there`, path);
    await (await opened(`sqlite:${path}`)).setup();
    expect(statSync(`${path}-there`).mode & 0o777).toBe(0o600);
  },
);

test.skipIf(process.platform === "win32").each([
  ["made for its owner alone", false, 0o600],
  ["left as it is where it is there", true, 0o644],
])("the file, and what SQLite makes beside it, is %s", async (_, isThere, mode) => {
  const path = ownFile();
  if (isThere) {
    writeFileSync(path, "");
    chmodSync(path, mode);
  }
  // Worker threads cannot set a umask, so start another process.
  const url = JSON.stringify(new URL("../src/index.ts", import.meta.url));
  const program = `process.umask(0); const { fromUrl } = await import(${url});
    const driver = await fromUrl(${JSON.stringify(`sqlite:${path}`)}); await driver.setup();
    const { readdirSync, statSync } = await import("node:fs");
    for (const name of readdirSync(${JSON.stringify(dirname(path))})) console.log(name, statSync(${JSON.stringify(`${dirname(path)}/`)} + name).mode & 0o777);`;
  const output = execFileSync(here.executable, [...here.args, "--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  expect(output.trim().split("\n")).toEqual(
    ["sessions.db", "sessions.db-shm", "sessions.db-wal"].map((name) => `${name} ${mode}`),
  );
});

test("a file that cannot be opened is DriverUnavailableError, until it can", async () => {
  const path = join(dirname(ownFile()), "later", "sessions.db");
  const driver = await opened(`sqlite:${path}`);
  const now = Date.now();
  const calls = [
    driver.create(newId(), { expiresAt: now + 1, fields: new Map() }, now),
    driver.load(newId()),
    driver.commit(newId(), { fields: new Map() }, now),
    driver.destroy(newId(), now),
    driver.sweep({ after: 0, before: 1, limit: 1 }),
    driver.list({ limit: 1 }, now),
    driver.setup(),
  ];
  for (const outcome of await Promise.allSettled(calls))
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "ERR_SESSION_UNAVAILABLE" } });
  mkdirSync(dirname(path));
  await driver.setup();
  await begin(driver);
});

test("a file that is no database is left as it is", async () => {
  const manifest = new URL("../package.json", import.meta.url);
  const driver = await opened(`sqlite://${manifest.pathname}`);
  const before = readFileSync(manifest, "utf8");
  await expect(driver.setup()).rejects.toThrow(/SQLITE_NOTADB/);
  expect(readFileSync(manifest, "utf8")).toBe(before);
});

test("the file is in WAL mode, and the first call waits for a lock on the file", async () => {
  const path = ownFile();
  const other = openFile(path);
  other.exec("CREATE TABLE x (y); BEGIN EXCLUSIVE");
  const driver = await opened(`sqlite:${path}`, { timeout: "60s" });
  const setup = driver.setup();
  setTimeout(() => other.exec("COMMIT"), 20);
  await setup;
  expect(pluck(openFile(path), "PRAGMA journal_mode")).toBe("wal");
});

test("close() closes the file, may be called again, and no later call opens the file again", async () => {
  const path = ownFile();
  const driver = await opened(`sqlite:${path}`);
  await driver.setup();
  expect(existsSync(`${path}-wal`)).toBe(true);
  await driver.close();
  // The last connection moves the journal into the file, and removes it.
  expect(existsSync(`${path}-wal`)).toBe(false);
  await driver.close();
  await expect(driver.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  expect(existsSync(`${path}-wal`)).toBe(false);
  await (await opened(`sqlite:${path}`)).close();
});

test("an error names both clients if the runtime and the packages have none", async () => {
  vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
  vi.doMock("better-sqlite3", () => {
    throw new Error("Cannot find package");
  });
  onTestFinished(() => {
    vi.doUnmock("better-sqlite3");
    vi.restoreAllMocks();
  });
  await expect(fromUrl("sqlite::memory:")).rejects.toThrow(
    /neither node:sqlite nor the package better-sqlite3/,
  );
});

test.each<[object, string]>([
  [{ tabel: "x" }, 'sqliteDriver fromUrl: unknown option "tabel". Did you mean "table"?'],
  [{ client: {} }, 'sqliteDriver fromUrl: unknown option "client"'],
])("fromUrl refuses %j", async (options, message) => {
  await expect(fromUrl("sqlite::memory:", { ...options })).rejects.toThrow(message);
});
