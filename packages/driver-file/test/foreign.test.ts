import { execFile } from "node:child_process";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ProvisionedDriver } from "@sessions/core";
import { type ObjectCase, testObjects } from "@sessions/driver-tests";
import { describe, expect, onTestFinished, test } from "vitest";
import { fileDriver } from "../src/index.ts";
import { begin, newId, ownFolder } from "./support.ts";

const isRoot = process.getuid?.() === 0;
const refused = (message: RegExp) => ({
  code: "ERR_SESSION_SETUP",
  message: expect.stringMatching(message),
});

/** Another application's folder, with these files. */
function foreign(what: string, files: readonly string[]): ObjectCase {
  let directory = "";
  return {
    what: `another application's folder: ${what}`,
    foreign: true,
    async make() {
      directory = join(await ownFolder(), "data");
      await mkdir(directory);
      for (const file of files) {
        await mkdir(join(directory, file, ".."), { recursive: true });
        await writeFile(join(directory, file), "mine");
      }
      return fileDriver({ directory });
    },
    async isThere() {
      const held = files.map((file) => readFile(join(directory, file), "utf8").catch(() => ""));
      return (await Promise.all(held)).every((text) => text === "mine");
    },
  };
}

/** The driver's own folder, after a change to it. */
function own(what: string, spoil: (directory: string) => Promise<unknown>): ObjectCase {
  let directory = "";
  return {
    what: `the driver's own folder ${what}`,
    foreign: false,
    async make(): Promise<ProvisionedDriver> {
      directory = join(await ownFolder(), "data");
      const driver = fileDriver({ directory });
      await driver.setup();
      await begin(driver, { principal: "alice" });
      await spoil(directory);
      return driver;
    },
    isThere: () =>
      lstat(directory).then(
        () => true,
        () => false,
      ),
  };
}

testObjects(test, [
  foreign("novels", ["drafts/my-novel/chapter1.md", "drafts/letter.txt"]),
  foreign("records by digest", [`records/ab/ab${newId().slice(2)}/1`, "index"]),
  foreign("a layout that is none", ["layout", "records/a", "principals/b"]),
  own("as it is", async () => {}),
  own("without its layout file", (directory) => rm(join(directory, "layout"))),
  own("with an empty layout file", (directory) => truncate(join(directory, "layout"))),
  own("without some of its folders", async (directory) => {
    for (const name of ["drafts", "records/7f"]) await rm(join(directory, name), { recursive: true });
  }),
]);

describe("setup() refuses, makes nothing in, and no call uses,", () => {
  test("a folder that is not empty, empty folders of the same names included", async () => {
    const directory = await ownFolder();
    await mkdir(join(directory, "drafts"));
    await expect(fileDriver({ directory }).setup()).rejects.toMatchObject(refused(/not empty.*such as/));
    expect(await readdir(directory)).toEqual(["drafts"]);
  });

  test.skipIf(process.platform === "win32")(
    "one that everybody may write to, sticky or not, empty or set up",
    async () => {
      for (const mode of [0o777, 0o1777, 0o702])
        for (const isSetUp of [false, true]) {
          const directory = await ownFolder();
          const driver = fileDriver({ directory });
          if (isSetUp) await driver.setup();
          const before = await readdir(directory);
          await chmod(directory, mode);
          const error = refused(/Everybody may write.*chmod 700/);
          await expect(driver.setup()).rejects.toMatchObject(error);
          await expect(driver.load(newId())).rejects.toMatchObject(error);
          expect(await driver.check()).toEqual([error.message]);
          expect(await readdir(directory)).toEqual(before);
          // The way out that the message names.
          const within = fileDriver({ directory: join(directory, "sessions") });
          await within.setup();
          expect(await within.check()).toEqual([]);
        }
    },
  );

  test.skipIf(!isRoot)(
    "one that is another user's, however complete, and a link of another user's",
    async () => {
      const folder = await ownFolder();
      const directory = join(folder, "theirs");
      const driver = fileDriver({ directory });
      await driver.setup();
      await promisify(execFile)("chown", ["-R", "65534", directory]);
      const error = refused(/belongs to another user \(65534\).*a folder of your own/);
      const link = join(folder, "link");
      await mkdir(join(folder, "mine"));
      await symlink(join(folder, "mine"), link);
      await promisify(execFile)("chown", ["-h", "65534", link]);
      for (const one of [driver, fileDriver({ directory: link })]) {
        await expect(one.setup()).rejects.toMatchObject(error);
        await expect(one.load(newId())).rejects.toMatchObject(error);
        await expect(one.sweep({ after: 0, before: 1, limit: 1 })).rejects.toMatchObject(error);
        await expect(one.teardown()).rejects.toMatchObject(error);
        expect(await one.check()).toEqual([error.message]);
      }
      expect(await readdir(join(folder, "mine"))).toEqual([]);
    },
  );

  test("a file, and a link that leads nowhere", async () => {
    const folder = await ownFolder();
    await writeFile(join(folder, "file"), "mine");
    await symlink("gone", join(folder, "link"));
    for (const name of ["file", "link"])
      await expect(fileDriver({ directory: join(folder, name) }).setup()).rejects.toMatchObject(
        refused(/not a folder/),
      );
    expect(await readFile(join(folder, "file"), "utf8")).toBe("mine");
    expect(await readdir(folder)).toEqual(["file", "link"]);
  });
});

describe("setup() takes", () => {
  test("a folder of root's, the root of a disk, and a link of one's own", async () => {
    const folder = await ownFolder();
    await mkdir(join(folder, "disk", "lost+found"), { recursive: true });
    await chmod(join(folder, "disk"), 0o775);
    await symlink("disk", join(folder, "link"));
    for (const name of ["link", "disk"]) {
      const driver = fileDriver({ directory: join(folder, name) });
      await driver.setup();
      await begin(driver);
    }
    await fileDriver({ directory: join(folder, "link") }).teardown();
    expect(await readdir(join(folder, "disk"))).toEqual(["lost+found"]);
  });

  test.skipIf(!isRoot)("root's folder where another user runs, if that one may write there", async () => {
    const directory = await ownFolder();
    await chown(directory, 0, 65_534);
    await chmod(directory, 0o770);
    process.setegid?.(65_534);
    process.seteuid?.(65_534);
    onTestFinished(() => {
      process.seteuid?.(0);
      process.setegid?.(0);
    });
    const driver = fileDriver({ directory });
    await driver.setup();
    await begin(driver);
  });

  test("what a setup left that was killed after any of its steps", async () => {
    for (const names of [[], ["layout"], ["layout", "drafts"], ["layout", "drafts", "records"]]) {
      const directory = await ownFolder();
      for (const name of names)
        if (name === "layout") await writeFile(join(directory, name), names.length === 1 ? "" : "1\n");
        else await mkdir(join(directory, name), { mode: 0o700 });
      const driver = fileDriver({ directory });
      await driver.setup();
      expect(await driver.check()).toEqual([]);
    }
  });

  test("an empty folder, by many at once", async () => {
    for (let round = 0; round < 10; round++) {
      const directory = join(await ownFolder(), "sessions");
      const drivers = Array.from({ length: 12 }, () => fileDriver({ directory }));
      await Promise.all(drivers.map((driver) => driver.setup()));
      expect(await drivers[0]?.check()).toEqual([]);
    }
  });
});

test.skipIf(!isRoot)(
  "setup() without the permission is SessionSetupError, and names the method",
  async () => {
    const folder = await ownFolder();
    await chmod(folder, 0o755);
    const driver = fileDriver({ directory: join(folder, "sessions") });
    process.seteuid?.(65_534);
    onTestFinished(() => process.seteuid?.(0));
    await expect(driver.setup()).rejects.toMatchObject(
      refused(/may not make.*user with that permission, run sessions\.setup\(\).*driver\.setup\(\)/),
    );
    await expect(driver.load(newId())).rejects.toMatchObject(refused(/sessions\.setup\(\)/));
  },
);

test.skipIf(!isRoot)(
  "what a sweep may not touch is told when the rest is done, and holds up nothing",
  async () => {
    const directory = await ownFolder();
    const driver = fileDriver({ directory });
    await driver.setup();
    const now = Date.now();
    const ids = ["00", "7f", "ff"].map((shard) => shard + newId().slice(2));
    for (const id of ids) await driver.create(id, { expiresAt: now - 1, fields: new Map() }, now - 2);
    await promisify(execFile)("chown", ["-R", "65534", directory]);
    await chown(join(directory, "records", "7f", ids[1] ?? ""), 0, 0);
    process.seteuid?.(65_534);
    onTestFinished(() => process.seteuid?.(0));
    const sweep = () => driver.sweep({ after: 0, before: now, limit: 100 });
    expect(await sweep()).toBe(2);
    await expect(sweep()).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
      message: expect.stringMatching(/EACCES/),
    });
  },
);
