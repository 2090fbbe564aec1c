import { execFile } from "node:child_process";
import { chmod, chown, lstat, mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { testFirstUse } from "@sessions/driver-tests";
import { describe, expect, onTestFinished, test } from "vitest";
import { fileDriver } from "../src/index.ts";
import { begin, ownFolder } from "./support.ts";

async function open() {
  const folder = await ownFolder();
  const directory = join(folder, "sessions");
  const driver = fileDriver({ directory });
  await driver.setup();
  expect(await driver.check()).toEqual([]);
  return { folder, directory, driver };
}

/** Every path below, with its permissions, and files with what they hold. */
async function tree(folder: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(join(folder, below))).sort()) {
    const path = join(below, name);
    const stats = await lstat(join(folder, path));
    const mode = (stats.mode & 0o777).toString(8);
    if (stats.isDirectory()) found.push(`${path} ${mode}`, ...(await tree(folder, path)));
    else found.push(`${path} ${mode} ${await readFile(join(folder, path), "utf8")}`);
  }
  return found;
}

/** Runs a body as a user that owns nothing; only root can do that. */
async function asNobody<T>(body: () => Promise<T>): Promise<T> {
  process.seteuid?.(65_534);
  try {
    return await body();
  } finally {
    process.seteuid?.(0);
  }
}
const isRoot = process.getuid?.() === 0;

describe("check names", () => {
  test("a folder that is missing, and nothing else", async () => {
    const { directory, driver } = await open();
    await rm(directory, { recursive: true });
    expect(await driver.check()).toEqual([
      `The folder ${directory} is missing: run setup(), or mount what belongs there`,
    ]);
  });

  test("a file in the folder's place", async () => {
    const { directory, driver } = await open();
    await rm(directory, { recursive: true });
    await writeFile(directory, "");
    expect(await driver.check()).toEqual([expect.stringMatching(/is not a folder/)]);
  });

  test.each(["drafts", "records", "records/7f", "principals/00"])("%s, if it is missing", async (name) => {
    const { directory, driver } = await open();
    await rm(join(directory, name), { recursive: true });
    expect(await driver.check()).toEqual([
      expect.stringMatching(`Folders are missing, \\d+ in number, like ${join(directory, name)}: run setup`),
    ]);
    await driver.setup();
    expect(await driver.check()).toEqual([]);
  });

  test("a missing layout, an empty one, and another version's, with the way out, and setup() touches none", async () => {
    const { directory, driver } = await open();
    const layout = join(directory, "layout");
    for (const spoil of [() => rm(layout), () => writeFile(layout, ""), () => writeFile(layout, "mine")]) {
      await spoil();
      const before = await tree(directory);
      const told = /has no layout file of this driver.*write the line 1 to \S+layout$/;
      expect(await driver.check()).toEqual([expect.stringMatching(told)]);
      await expect(driver.setup()).rejects.toMatchObject({
        code: "ERR_SESSION_SETUP",
        message: expect.stringMatching(told),
      });
      expect(await tree(directory)).toEqual(before);
      await writeFile(layout, "1\n");
      await driver.setup();
      expect(await driver.check()).toEqual([]);
    }
    await writeFile(layout, "2\n");
    expect(await driver.check()).toEqual([
      expect.stringMatching(/version "2", and this package knows version 1/),
    ]);
    await expect(driver.setup()).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
    await expect(driver.teardown()).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
    expect(await readFile(layout, "utf8")).toBe("2\n");
  });

  test("a group that may write to the folder, and one of its folders that is another user's", async () => {
    const { directory, driver } = await open();
    await chmod(directory, 0o770);
    expect(await driver.check()).toEqual([`A group may write to ${directory}: run chmod g-w on it`]);
    await driver.setup();
    await chmod(directory, 0o700);
    if (!isRoot) return;
    await chown(join(directory, "drafts"), 65_534, 65_534);
    expect(await driver.check()).toEqual([expect.stringMatching(/drafts belongs to another user/)]);
  });

  test.each(["drafts", "records", "principals"])("%s, if others may enter it", async (name) => {
    const { directory, driver } = await open();
    await chmod(join(directory, name), 0o750);
    expect(await driver.check()).toEqual([
      expect.stringMatching(`Others than the owner may enter ${join(directory, name)}: run chmod 700`),
    ]);
  });

  test.skipIf(!isRoot)("a missing permission to write, or to read", async () => {
    const { folder, directory, driver } = await open();
    await chmod(folder, 0o755);
    expect(await asNobody(driver.check)).toEqual([expect.stringMatching(/no permission to read and write/)]);
    // One folder among all that this user owns.
    const shard = join(directory, "records", "3c");
    await promisify(execFile)("chown", ["-R", "65534", directory]);
    expect(await asNobody(driver.check)).toEqual([]);
    await promisify(execFile)("chown", ["0", shard]);
    expect(await asNobody(driver.check)).toEqual([
      expect.stringMatching(`no permission to write in 1 of the folders, like ${shard}`),
    ]);
  });
});

test.skipIf(!isRoot)(
  "what this process may not write is DriverUnavailableError, and leaves nothing half",
  async () => {
    const { folder, directory, driver } = await open();
    await chmod(folder, 0o755);
    const id = await begin(driver, { fields: new Map([["a/x", "1"]]) });
    const before = await tree(directory);
    const change = { fields: new Map([["a/x", "2"]]) };
    await expect(asNobody(() => driver.commit(id, change, Date.now()))).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
      message: expect.stringMatching(/EACCES/),
    });
    expect(await tree(directory)).toEqual(before);
  },
);

test.skipIf(!isRoot || process.platform !== "linux")(
  "a full disk is DriverUnavailableError, and leaves nothing half",
  async ({ skip }) => {
    const directory = await ownFolder();
    // A disk of its own, small enough to fill.
    const mounted = await promisify(execFile)("mount", [
      "-t",
      "tmpfs",
      "-o",
      "size=4m,mode=700",
      "tmpfs",
      directory,
    ]).then(
      () => true,
      () => false,
    );
    if (!mounted) return skip("this process may not mount");
    onTestFinished(async () => {
      await promisify(execFile)("umount", [directory]);
    });
    const driver = fileDriver({ directory });
    await driver.setup();
    const id = await begin(driver, { fields: new Map([["a/x", "1"]]), principal: "alice" });
    const [before, record] = [await tree(directory), await driver.load(id)];
    const large = new Map([["a/x", "x".repeat(5 * 1024 * 1024)]]);
    const full = { code: "ERR_SESSION_UNAVAILABLE", message: expect.stringMatching(/ENOSPC/) };
    await expect(driver.commit(id, { fields: large }, Date.now())).rejects.toMatchObject(full);
    await expect(begin(driver, { fields: large })).rejects.toMatchObject(full);
    expect(await driver.load(id)).toEqual(record);
    expect(await tree(directory)).toEqual(before);
    expect(await driver.commit(id, { fields: new Map([["a/x", "2"]]) }, Date.now())).toBe("committed");
  },
);

testFirstUse(test, "a missing folder", async () => {
  const { directory, driver } = await open();
  return { driver, drop: () => rm(join(directory, "principals"), { recursive: true }) };
});

test("the README's definition makes the same as setup()", async () => {
  const { directory, folder } = await open();
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const script = /```bash\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(script).toMatch(/umask/);
  const other = join(folder, "other");
  await mkdir(other);
  await promisify(execFile)("bash", ["-ec", script], { cwd: other });
  expect(await tree(join(other, "sessions"))).toEqual(await tree(directory));
  expect(await fileDriver({ directory: join(other, "sessions") }).check()).toEqual([]);
});

test("records and entries are readable by their owner alone", async () => {
  const { directory, driver } = await open();
  await begin(driver, { principal: "alice" });
  for (const line of await tree(directory)) expect(line).toMatch(/^\S+ (700|600 )/);
});

test("teardown removes what is the driver's, and leaves everything else", async () => {
  const { directory, folder, driver } = await open();
  const id = await begin(driver, { principal: "alice" });
  await driver.teardown();
  expect(await readdir(folder)).toEqual([]);
  await driver.setup();
  await begin(driver, { principal: "alice" });
  const foreign = [
    "notes.txt",
    "records/notes.txt",
    `records/${id.slice(0, 2)}/notes.txt`,
    "drafts/notes.txt",
    "principals/00/notes.txt",
  ];
  for (const name of foreign) await writeFile(join(directory, name), "mine");
  expect((await driver.list({ limit: 10 }, Date.now())).records).toHaveLength(1);
  await driver.teardown();
  const left = (await tree(directory))
    .filter((line) => line.endsWith("mine"))
    .map((line) => line.split(" ")[0]);
  expect(left.sort()).toEqual(foreign.sort());
  expect(await tree(directory)).toHaveLength(foreign.length + 5);
  for (const name of foreign) await rm(join(directory, name));
  await driver.teardown();
  await expect(rmdir(directory)).rejects.toMatchObject({ code: "ENOENT" });
});
