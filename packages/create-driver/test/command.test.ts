import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandOf, emptyFolder, filesBelow } from "@sessions/create-package/testing";
import { expect, test } from "vitest";
import { driver } from "../src/driver.ts";

const create = commandOf(driver);

test.each([
  ["leveldb", "sessions-driver-leveldb", "sessions-driver-leveldb", "leveldbDriver"],
  ["my-store", "sessions-driver-my-store", "sessions-driver-my-store", "myStoreDriver"],
  ["driver-leveldb", "driver-leveldb", "driver-leveldb", "leveldbDriver"],
  ["sessions-driver-level-2", "sessions-driver-level-2", "sessions-driver-level-2", "level2Driver"],
  ["@me/driver-leveldb", "@me/driver-leveldb", "driver-leveldb", "leveldbDriver"],
  ["@me-2/leveldb", "@me-2/leveldb", "leveldb", "leveldbDriver"],
  ["LibSQL", "sessions-driver-libsql", "sessions-driver-libsql", "libsqlDriver"],
  ["@me/driver-LibSQL", "@me/driver-libsql", "driver-libsql", "libsqlDriver"],
])("%s is the package %s in the folder %s, with %s", async (asked, name, folder, driver) => {
  const cwd = emptyFolder();
  expect(await create(cwd, [asked])).toMatchObject({ status: 0, err: "" });
  expect(readdirSync(cwd)).toEqual([folder]);
  const files = filesBelow(join(cwd, folder));
  expect(JSON.parse(files.get("package.json") ?? "")).toMatchObject({ name });
  expect(files.get("src/index.ts")).toContain(`export function ${driver}(`);
});

test.each([
  "",
  " ",
  ".",
  "..",
  "../leveldb",
  "/tmp/leveldb",
  "a/b",
  "@me/../leveldb",
  "@/leveldb",
  "@me/",
  "@me/x/y",
  "c:\\leveldb",
  "two words",
  "\u212aeydb",
  "level_db",
  "level.db",
  "-leveldb",
  "leveldb-",
  "level--db",
  "driver-",
  "2level",
  "léveldb",
  "leveldb\n",
  "leveldb\0",
  "$(leveldb)",
  '"leveldb"',
  "node_modules",
  "x".repeat(65),
])("the name %j is refused with what a name must be, and nothing is made", async (asked) => {
  const cwd = emptyFolder();
  const { status, out, err } = await create(cwd, ["--", asked]);
  expect({ status, out }).toEqual({ status: 2, out: "" });
  expect(err).toContain("at most 64 of a-z, 0-9 and single hyphens between them");
  expect(err).toContain(`got ${JSON.stringify(asked)}`);
  expect(err).toContain("For example: npm create @sessions/driver leveldb");
  expect(readdirSync(cwd)).toEqual([]);
});

test("the next commands are said, and where to read on", async () => {
  const { out } = await create(emptyFolder(), ["leveldb"]);
  expect(out).toContain("\n  cd sessions-driver-leveldb\n  npm install\n  npm test\n");
  const { repository } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  const address = repository.url.replace(/^git\+|\.git$/g, "");
  expect(out).toContain(`${address}/blob/main/docs/writing-a-driver.md\n`);
  expect(out).toContain(`${address}/blob/main/SPEC.md\n`);
  // No path of this repository, which the reader does not have.
  expect(out.replaceAll(address, "")).not.toMatch(/(?<!blob\/main\/)(docs\/|SPEC\.md)/);
});

test("without a name it asks", async () => {
  const cwd = emptyFolder();
  expect(await create(cwd, [], async () => " leveldb ")).toMatchObject({ status: 0 });
  expect(readdirSync(cwd)).toEqual(["sessions-driver-leveldb"]);
});

test.each([
  ["without a terminal", undefined],
  ["without an answer", async () => undefined],
])("without a name, %s, it says what is missing", async (_, ask) => {
  const { status, err } = await create(emptyFolder(), [], ask);
  expect(status).toBe(2);
  expect(err).toMatch(/^A name is missing.*\nFor example: npm create @sessions\/driver leveldb\n$/);
});

test.each([
  [["leveldb", "--force"], "Unknown option '--force'. Known: --help, --version.\n"],
  [["leveldb", "--help=no"], "--help"],
  [["leveldb", "redis"], '"leveldb", "redis"'],
])("%j is wrong usage, and the message names what is wrong", async (args, named) => {
  const cwd = emptyFolder();
  const { status, out, err } = await create(cwd, args);
  expect({ status, out }).toEqual({ status: 2, out: "" });
  expect(err).toContain(named);
  expect(readdirSync(cwd)).toEqual([]);
});

test("--help says how it is used, and --version which one it is", async () => {
  const cwd = emptyFolder();
  const help = await create(cwd, ["--help"]);
  expect(help).toMatchObject({ status: 0, err: "" });
  expect(help.out).toContain("npm create @sessions/driver <name>");
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(await create(cwd, ["--version"])).toEqual({ status: 0, out: `${version}\n`, err: "" });
  expect(readdirSync(cwd)).toEqual([]);
});

test("a folder that is not empty is left as it is, and named", async () => {
  const cwd = emptyFolder();
  const folder = join(cwd, "sessions-driver-leveldb");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), "mine");
  const { status, err } = await create(cwd, ["leveldb"]);
  expect(status).toBe(1);
  expect(err).toContain(`${folder} exists and is not empty: it holds package.json`);
  expect(filesBelow(cwd)).toEqual(new Map([["sessions-driver-leveldb/package.json", "mine"]]));
});

test("a file in the folder's place is left as it is, and named", async () => {
  const cwd = emptyFolder();
  const file = join(cwd, "sessions-driver-leveldb");
  writeFileSync(file, "mine");
  const { status, err } = await create(cwd, ["leveldb"]);
  expect(status).toBe(1);
  expect(err).toContain(`${file} exists and is not a folder`);
  expect(filesBelow(cwd)).toEqual(new Map([["sessions-driver-leveldb", "mine"]]));
});

test("an empty folder is taken", async () => {
  const cwd = emptyFolder();
  mkdirSync(join(cwd, "sessions-driver-leveldb"));
  expect(await create(cwd, ["leveldb"])).toMatchObject({ status: 0, err: "" });
  expect(filesBelow(cwd).has("sessions-driver-leveldb/package.json")).toBe(true);
});

test("a failure at the last step leaves nothing half, and says so", async () => {
  const cwd = emptyFolder();
  // Points to nothing: it looks as if the place were free, until the finished package is to be moved there.
  symlinkSync("nowhere", join(cwd, "sessions-driver-leveldb"));
  const { status, out, err } = await create(cwd, ["leveldb"]);
  expect({ status, out }).toEqual({ status: 1, out: "" });
  expect(err).toContain("Nothing was made: ");
  expect(readdirSync(cwd)).toEqual(["sessions-driver-leveldb"]);
});

test("of two at once one makes the package, whole, and the other says that it did not", async () => {
  const cwd = emptyFolder();
  const alone = emptyFolder();
  await create(alone, ["leveldb"]);
  const outcomes = await Promise.all([create(cwd, ["leveldb"]), create(cwd, ["leveldb"])]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual([0, 1]);
  expect(filesBelow(cwd)).toEqual(filesBelow(alone));
});
