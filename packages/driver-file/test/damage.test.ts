import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fileDriver } from "../src/index.ts";
import { begin, HOUR, ownFolder } from "./support.ts";

const fields = new Map([["a/x", "what is kept"]]);

async function open() {
  const directory = await ownFolder();
  const driver = fileDriver({ directory });
  await driver.setup();
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const fileOf = async (id: string): Promise<string> => {
    const folder = join(directory, "records", id.slice(0, 2), id);
    return join(folder, (await readdir(folder))[0] ?? "");
  };
  return { driver, warn, fileOf };
}

const damages: [string, (file: string) => Promise<void>][] = [
  ["cut off", (file) => truncate(file, 100)],
  ["emptied", (file) => truncate(file)],
  [
    "changed in one letter",
    async (file) => writeFile(file, (await readFile(file, "utf8")).replace("kept", "kepT")),
  ],
  ["overwritten", (file) => writeFile(file, "{}")],
];

describe("a damaged file", () => {
  test.each(damages)(
    "(%s) is reported once, taken for lost, and takes no other with it",
    async (_, damage) => {
      const { driver, warn, fileOf } = await open();
      const now = Date.now();
      const [id, other] = [
        await begin(driver, { fields, principal: "alice" }),
        await begin(driver, { fields }),
      ];
      const third = await begin(driver, { fields, principal: "alice" });
      const file = await fileOf(id);
      await damage(file);
      expect(await driver.load(id)).toBeUndefined();
      expect(await driver.commit(id, { fields }, now)).toBe("gone");
      expect(await driver.destroy(id, now)).toBe(false);
      const all = await driver.list({ limit: 10 }, now);
      expect(all.records.map((record) => record.id).sort()).toEqual([other, third].sort());
      const alices = await driver.list({ principal: "alice", limit: 10 }, now);
      expect(alices.records.map((record) => record.id)).toEqual([third]);
      expect(warn.mock.calls).toEqual([
        [`${file} is damaged, and taken for lost`, { code: "SESSIONS_FILE_DAMAGED" }],
      ]);
      expect((await driver.load(other))?.fields).toEqual(fields);
    },
  );

  test("does not stop a new session", async () => {
    const { driver, fileOf } = await open();
    const id = await begin(driver, { fields });
    await truncate(await fileOf(id), 10);
    const now = Date.now();
    expect(await driver.create(id, { expiresAt: now + HOUR, fields: new Map() }, now)).toBe(true);
    expect(await driver.load(id)).toEqual({ version: 1, expiresAt: now + HOUR, fields: new Map() });
  });

  test("goes with a sweep a day after its last change, not earlier, and does not count", async () => {
    const { driver, fileOf } = await open();
    const id = await begin(driver, { fields });
    const file = await fileOf(id);
    await writeFile(file, "nonsense");
    const changed = Date.now();
    const day = 24 * HOUR;
    const sweep = (before: number) => driver.sweep({ after: 0, before, limit: 10 });
    expect(await sweep(changed + day - HOUR)).toBe(0);
    expect(await readFile(file, "utf8")).toBe("nonsense");
    expect(await sweep(changed + day + HOUR)).toBe(0);
    await expect(readFile(dirname(file))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("is named by check(), among a bounded number of others, and no longer when it is gone", async () => {
    const { driver, fileOf } = await open();
    for (let i = 0; i < 20; i++) await begin(driver, { fields });
    const files = await Promise.all((await Promise.all([begin(driver), begin(driver)])).map(fileOf));
    for (const file of files) await truncate(file, 10);
    const [said, ...more] = await driver.check();
    expect(said).toMatch(/^2 of the 22 sessions that were read are damaged, like /);
    expect(files.some((file) => said?.includes(`like ${file}:`))).toBe(true);
    expect(more).toEqual([]);
    await driver.sweep({ after: 0, before: Date.now() + 25 * HOUR, limit: 100 });
    expect(await driver.check()).toEqual([]);
  });

  test("with something else in its place is named by check() too", async () => {
    const { driver, fileOf } = await open();
    const file = await fileOf(await begin(driver, { fields }));
    await rm(file);
    await mkdir(file);
    expect(await driver.check()).toEqual([expect.stringContaining(`like ${dirname(file)}:`)]);
  });
});
