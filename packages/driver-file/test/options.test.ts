import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { chdir, cwd } from "node:process";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import {
  type ClosableDriver,
  driverFromUrl,
  isListingDriver,
  isProvisionedDriver,
  type ListingDriver,
  type ProvisionedDriver,
  SessionConfigError,
} from "@sessions/core";
import { describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { type FileDriverOptions, fileDriver, fromUrl } from "../src/index.ts";
import { begin, HOUR, newId, ownFolder } from "./support.ts";

describe("options", () => {
  test.each<[unknown, string | RegExp]>([
    [{}, "directory"],
    [{ directory: "" }, "directory"],
    [{ directory: 5 }, "directory"],
    [{ directory: "a\0b" }, "directory"],
    [{ directory: "x", timeout: 0 }, "timeout"],
    [{ directory: "x", timeout: "soon" }, "timeout"],
    [{ directory: "x", timeout: "31m" }, "timeout"],
    [{ directory: "x", folder: "y" }, /fileDriver: unknown option "folder"/],
    [{ directory: "x", timout: "1s" }, /Did you mean "timeout"/],
    [{ directry: "x" }, /Did you mean "directory"/],
    ["./sessions", /fileDriver: options must be an object; got string/],
    [undefined, /options must be an object/],
  ])("%j is refused, naming %s", (options, name) => {
    const wrong: unknown = options;
    const make: (options: never) => unknown = fileDriver;
    expect(() => Reflect.apply(make, undefined, [wrong])).toThrow(SessionConfigError);
    expect(() => Reflect.apply(make, undefined, [wrong])).toThrow(name);
  });

  test("types", () => {
    expectTypeOf(fileDriver).returns.toEqualTypeOf<ListingDriver & ProvisionedDriver>();
    expectTypeOf(fromUrl).returns.resolves.toEqualTypeOf<ListingDriver & ProvisionedDriver>();
    // Nothing is open, so there is nothing to close.
    expectTypeOf(fromUrl).returns.resolves.not.toExtend<ClosableDriver>();
    // @ts-expect-error the directory is needed
    const none: FileDriverOptions = {};
    // @ts-expect-error a duration has a unit
    const timeless: FileDriverOptions = { directory: "x", timeout: "2" };
    // @ts-expect-error no such option
    const ttl: FileDriverOptions = { directory: "x", ttl: 5 };
    expect([none, timeless, ttl]).toHaveLength(3);
  });
});

describe("fromUrl", () => {
  test("takes a relative path from the current folder, and stays there", async () => {
    const folder = await ownFolder();
    const before = cwd();
    chdir(folder);
    onTestFinished(() => chdir(before));
    const driver = await fromUrl("file:./my%20sessions", { timeout: "1s" });
    const up = await fromUrl("file:../up");
    chdir(before);
    await driver.setup();
    expect(await readdir(folder)).toEqual(["my sessions"]);
    expect(await up.check()).toEqual([expect.stringContaining(join(folder, "../up"))]);
  });

  test.each([
    (url: string) => url,
    (url: string) => url.replace("file:///", "file:/"),
    (url: string) => url.replace("file:///", "FILE://localhost/"),
  ])("takes an absolute path", async (spell) => {
    const folder = join(await ownFolder(), "50% ü");
    const driver = await fromUrl(spell(pathToFileURL(folder).href));
    expect(isListingDriver(driver) && isProvisionedDriver(driver)).toBe(true);
    await driver.setup();
    const id = await begin(driver);
    expect(await fileDriver({ directory: folder }).load(id)).toBeDefined();
  });

  test.each([
    "",
    "file:",
    "file://host/path",
    "sessions",
    "file:%zz",
    "file:a%00b",
    "file:./x?y=hunter2",
    "file:./x#y",
    "http://hunter2",
  ])("%j is refused without being shown", async (url) => {
    const thrown = await fromUrl(url).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SessionConfigError);
    expect(inspect(thrown)).not.toContain("hunter2");
  });

  test("takes no other options than the driver", async () => {
    const directory: object = { directory: "y" };
    await expect(fromUrl("file:./x", directory)).rejects.toThrow(/directory/);
    const unknown: object = { tmeout: "1s" };
    await expect(fromUrl("file:./x", unknown)).rejects.toThrow(
      /fileDriver fromUrl: unknown option "tmeout".*"timeout"/,
    );
  });

  test("driverFromUrl finds it", async () => {
    const source = new URL("../src/index.ts", import.meta.url).href;
    const folder = await ownFolder();
    const driver = await driverFromUrl(pathToFileURL(folder).href, { file: source });
    expect(driver.name).toBe("file");
  });
});

describe("ids", () => {
  test.each([
    "../x",
    "",
    ".",
    "a".repeat(31),
    "A".repeat(32),
    `${"a".repeat(30)}/b`,
    `../../${"a".repeat(32)}`,
    `${"a".repeat(32)}\n`,
  ])("%j is no path to anything", async (id) => {
    const folder = await ownFolder();
    const directory = join(folder, "sessions");
    const driver = fileDriver({ directory });
    await driver.setup();
    const now = Date.now();
    expect(await driver.load(id)).toBeUndefined();
    expect(await driver.commit(id, { fields: new Map([["a/x", "1"]]) }, now)).toBe("gone");
    expect(await driver.destroy(id, now)).toBe(false);
    await expect(driver.create(id, { expiresAt: now + HOUR, fields: new Map() }, now)).rejects.toThrow(
      TypeError,
    );
    expect(await readdir(folder)).toEqual(["sessions"]);
    expect((await driver.list({ limit: 10 }, now)).records).toEqual([]);
  });
});

describe("a missing folder is an error, and logs nobody out", () => {
  const now = Date.now();

  /** The result of each method. */
  async function answers(driver: ListingDriver, id = newId()): Promise<unknown[]> {
    const record = { expiresAt: now + HOUR, fields: new Map() };
    const settled = await Promise.allSettled([
      driver.load(id),
      driver.commit(id, { fields: new Map() }, now),
      driver.create(newId(), record, now),
      driver.create(newId(), { ...record, principal: "alice" }, now),
      driver.destroy(id, now),
      driver.sweep({ after: 0, before: now, limit: 1 }),
      driver.list({ limit: 1 }, now),
      driver.list({ limit: 1, principal: "alice" }, now),
    ]);
    return settled.map((result) => (result.status === "rejected" ? result.reason : result.value));
  }
  const setupError = expect.objectContaining({
    code: "ERR_SESSION_SETUP",
    message: expect.stringMatching(/sessions\.setup\(\).* driver\.setup\(\)/),
  });

  test("before setup()", async () => {
    const driver = fileDriver({ directory: join(await ownFolder(), "sessions") });
    expect(await answers(driver)).toEqual(Array(8).fill(setupError));
  });

  test("and where an empty folder shows because the disk is not mounted", async () => {
    const directory = join(await ownFolder(), "sessions");
    const driver = fileDriver({ directory });
    await driver.setup();
    const id = await begin(driver);
    await rename(directory, `${directory}.away`);
    await mkdir(directory);
    expect(await answers(driver, id)).toEqual(Array(8).fill(setupError));
    await rename(directory, `${directory}.empty`);
    await rename(`${directory}.away`, directory);
    expect(await driver.load(id)).toBeDefined();
  });
});
