import { execFile } from "node:child_process";
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { ListingDriver, ProvisionedDriver } from "@sessions/core";
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fileDriver } from "../src/index.ts";
import { encode, layoutOf } from "../src/layout.ts";
import { begin, HOUR, newId, ownFolder } from "./support.ts";

const fields = new Map([["a/x", "1"]]);
const long = (): string => newId() + newId();

/** Everything at a path and below it, without following links: kind, time and content of each. */
async function snapshot(path: string): Promise<unknown> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isSymbolicLink()) return ["link", await readlink(path)];
  if (stats?.isFile()) return ["file", stats.mtimeMs, await readFile(path, "utf8")];
  if (!stats?.isDirectory()) return stats ? "other" : "nothing";
  const names = (await readdir(path)).sort();
  return [
    "folder",
    stats.mtimeMs,
    await Promise.all(names.map(async (name) => [name, await snapshot(join(path, name))])),
  ];
}

/** Another user's folder, full of names of the driver's form, which it must not reach by a link. */
async function foreignFolder(folder: string): Promise<string> {
  const outside = join(folder, "outside");
  const expired = encode({ version: 1, expiresAt: 1, fields });
  const shards = ["00", "7f", "ff"];
  const paths = ["keys.pem", "1", `~${newId()}`, `${newId()}.${newId()}`, `${newId()}/1`, "lost/1"];
  for (const shard of shards)
    paths.push(
      `${shard}/${shard}${newId().slice(2)}/1`,
      `${shard}/${shard}${long().slice(2)}/${newId()}.${newId()}`,
    );
  for (const path of paths) {
    await mkdir(dirname(join(outside, path)), { recursive: true });
    await writeFile(join(outside, path), path.endsWith("/1") ? expired : "precious");
    await utimes(join(outside, path), 1, 1);
  }
  await mkdir(join(outside, newId()));
  return outside;
}

async function open(): Promise<{
  directory: string;
  outside: string;
  driver: ListingDriver & ProvisionedDriver;
}> {
  const folder = await ownFolder();
  const directory = join(folder, "sessions");
  // The test is not about time.
  const driver = fileDriver({ directory, timeout: "30s" });
  await driver.setup();
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  return { directory, outside: await foreignFolder(folder), driver };
}

async function plant(path: string, kind: string, outside: string): Promise<void> {
  if (kind === "file") await writeFile(path, "another user's");
  else if (kind === "link to a folder") await symlink(outside, path);
  else if (kind === "link to a file") await symlink(join(outside, "1"), path);
  else if (kind === "link to nothing") await symlink(join(outside, "gone"), path);
  else if (kind === "pipe") await promisify(execFile)("mkfifo", [path]);
  else {
    await mkdir(path);
    if (kind === "folder") await writeFile(join(path, "1"), "another user's");
  }
  // Old, so that nothing stays because it is new.
  if (!kind.startsWith("link")) await utimes(path, 1, 1);
}

const listed = async (driver: ListingDriver, principal?: string): Promise<string[]> => {
  const { records } = await driver.list({ limit: 1000, ...(principal && { principal }) }, Date.now());
  return records.map(({ id }) => id).sort();
};

const foreignNames = [
  ".DS_Store",
  "Thumbs.db",
  "lost+found",
  "notes",
  "A".repeat(32),
  "x".repeat(64),
  "~",
  "01",
  "0".repeat(33),
  " ",
  "é",
];
const links = ["link to a folder", "link to a file", "link to nothing"];
const notFolders = ["file", "pipe", ...links];
const notFiles = ["folder", "empty folder", "pipe", ...links];
const anything = ["file", ...notFiles];

/** Places below the folder for strays, with names and kinds that the driver would not make there. */
const levels: { where: string[]; own: () => string; wrong: string[] }[] = [
  { where: ["", "records", "principals"], own: () => "zz", wrong: anything },
  { where: ["drafts"], own: newId, wrong: notFolders },
  { where: ["drafts/DRAFT"], own: () => "1", wrong: notFiles },
  { where: ["records/SHARD"], own: () => "", wrong: notFolders },
  // An id, or a digest, of another shard.
  { where: ["records/00"], own: () => `ff${newId().slice(2)}`, wrong: anything },
  { where: ["principals/00"], own: () => `ff${long().slice(2)}`, wrong: anything },
  { where: ["records/LIVE", "records/EXPIRED", "records/NEW"], own: () => "", wrong: notFiles },
  { where: ["principals/ALICE", "principals/BOB"], own: () => `${newId()}.${newId()}`, wrong: notFiles },
];

const stray = fc.constantFrom(...levels).chain((level) =>
  fc.record({
    where: fc.constantFrom(...level.where),
    shape: fc.oneof(
      fc.record({ name: fc.constantFrom(...foreignNames), kind: fc.constantFrom(...anything) }),
      fc.record({ name: fc.constant(undefined), kind: fc.constantFrom(...level.wrong) }),
    ),
    own: fc.constant(level.own),
  }),
);

describe("what the driver did not make", () => {
  test("stays as it is wherever it lies, holds up nothing, and no link is followed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stray, { minLength: 5, maxLength: 25, size: "max" }), async (strays) => {
        const { directory, outside, driver } = await open();
        const { record, principal } = layoutOf(directory);
        const now = Date.now();
        const [live, other, fresh] = [
          await begin(driver, { fields, principal: "alice" }),
          await begin(driver, { fields }),
          newId(),
        ];
        const expired = newId();
        await driver.create(expired, { expiresAt: now - HOUR, principal: "bob", fields }, now - 2 * HOUR);
        const draft = newId();
        await mkdir(join(directory, "drafts", draft));
        await mkdir(record(fresh));
        const places: Record<string, string> = {
          "drafts/DRAFT": join(directory, "drafts", draft),
          "records/SHARD": dirname(record(live)),
          "records/LIVE": record(live),
          "records/EXPIRED": record(expired),
          "records/NEW": record(fresh),
          "principals/ALICE": principal("alice"),
          "principals/BOB": principal("bob"),
        };
        const shard = live.slice(0, 2);
        const planted = new Set<string>();
        for (const { where, shape, own } of strays) {
          const folder = places[where] ?? join(directory, where);
          let name: string = shape.name ?? own();
          if (name === "" && where === "records/SHARD") name = `${shard}${newId().slice(2)}`;
          // The very next number, which a change would take.
          if (name === "")
            name = String(
              Number(
                (await readdir(folder))
                  .filter((one) => /^\d+$/.test(one))
                  .map(Number)
                  .sort((a, b) => b - a)[0] ?? 0,
              ) + 1,
            );
          const path = join(folder, name);
          if ((await snapshot(path)) !== "nothing") continue;
          await plant(path, shape.kind, outside);
          planted.add(path);
        }
        const seen = async () => Promise.all([outside, ...planted].map(snapshot));
        const before = await seen();

        await driver.setup();
        expect(await driver.check()).toEqual(expect.any(Array));
        const removed = await driver.sweep({ after: 0, before: now, limit: 1000 });
        expect(removed).toBe(1);
        expect(await driver.load(expired)).toBeUndefined();
        expect(await listed(driver)).toEqual([live, other].sort());
        expect(await listed(driver, "alice")).toEqual([live]);
        expect(await driver.load(fresh)).toBeUndefined();
        expect(await driver.commit(live, { fields: new Map([["a/x", "2"]]) }, now)).toBe("committed");
        expect((await driver.load(live))?.fields.get("a/x")).toBe("2");
        // An id may be used again, in a folder that holds something foreign too.
        for (const id of [expired, fresh]) {
          for (const turn of ["1", "2"]) {
            const again = { expiresAt: now + HOUR, principal: "alice", fields: new Map([["a/x", turn]]) };
            expect(await driver.create(id, again, now)).toBe(true);
            expect(await driver.create(id, again, now)).toBe(false);
            expect((await driver.load(id))?.fields.get("a/x")).toBe(turn);
            expect(await driver.destroy(id, now)).toBe(true);
            expect(await driver.load(id)).toBeUndefined();
            expect(await driver.commit(id, again, now)).toBe("gone");
          }
        }
        expect(await driver.sweep({ after: 0, before: now, limit: 1000 })).toBe(0);
        expect(await seen()).toEqual(before);
        await driver.teardown();
        expect(await seen()).toEqual(before);
        expect(await driver.load(live).catch(() => undefined)).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  }, 600_000);

  describe.each(links.concat("file", "pipe"))("and is a %s", (kind) => {
    test.each([
      "drafts",
      "records",
      "principals",
      "records/7f",
      "principals/7f",
      "drafts/DRAFT",
      "records/7f/RECORD",
      "layout",
    ])("in the place of %s, leads nowhere", async (place) => {
      // A file of that name beside the driver's folders is a damaged layout file.
      if (place === "layout" && kind === "file") return;
      const { directory, outside, driver } = await open();
      const now = Date.now();
      const [id, other] = [`7f${newId().slice(2)}`, `80${newId().slice(2)}`];
      for (const one of [id, other])
        await driver.create(one, { expiresAt: now + HOUR, fields, principal: "alice" }, now);
      const path = join(directory, place.replace("RECORD", id).replace("DRAFT", newId()));
      await rename(path, join(directory, "..", "away")).catch(() => {});
      await plant(path, kind, outside);
      const seen = async () => [await snapshot(outside), await snapshot(path)];
      const before = await seen();
      const outcome = (call: Promise<unknown>) =>
        call.then(
          () => "done",
          (error: { code?: string }) => error.code,
        );
      for (const one of [driver, fileDriver({ directory, timeout: "30s" })]) {
        const calls = [
          one.sweep({ after: 0, before: now, limit: 100 }),
          one.list({ limit: 100 }, now),
          one.list({ limit: 100, principal: "alice" }, now),
          one.load(id),
          one.load(other),
          one.commit(id, { fields }, now),
          one.commit(id, { fields, principal: "bob" }, now),
          one.create(newId(), { expiresAt: now + HOUR, fields, principal: "carol" }, now),
          one.create(`7f${newId().slice(2)}`, { expiresAt: now + HOUR, fields }, now),
          one.destroy(id, now),
          one.check(),
          one.setup(),
        ];
        for (const code of await Promise.all(calls.map(outcome)))
          expect(["done", "ERR_SESSION_SETUP"]).toContain(code);
        if (place.includes("/")) {
          expect(await outcome(one.sweep({ after: 0, before: now, limit: 100 }))).toBe("done");
          expect(await listed(one)).toContain(other);
          expect((await one.load(other))?.fields).toEqual(fields);
        }
      }
      // check() changes the times of the driver's own folders, and no others.
      expect(await seen()).toEqual(before);
      await outcome(driver.teardown());
      expect(await seen()).toEqual(before);
    });
  });

  test("and a draft beside it is left to it", async () => {
    const { directory, driver } = await open();
    const [kept, gone] = [join(directory, "drafts", newId()), join(directory, "drafts", newId())];
    for (const draft of [kept, gone]) {
      await mkdir(draft);
      await writeFile(join(draft, "1"), "half of a rec");
    }
    await writeFile(join(kept, "notes"), "another user's");
    const before = await snapshot(kept);
    await driver.sweep({ after: 0, before: Date.now(), limit: 1 });
    expect(await snapshot(kept)).toEqual(before);
    expect(await snapshot(gone)).toBe("nothing");
  });

  test("is named by teardown() where it keeps a folder", async () => {
    const { directory, driver } = await open();
    await writeFile(join(directory, "records", "00", ".DS_Store"), "");
    await driver.teardown();
    expect(vi.mocked(process.emitWarning).mock.calls).toEqual([
      [expect.stringMatching(`${directory} stays.*: records`), { code: "SESSIONS_FILE_LEFT" }],
    ]);
    expect(await readdir(directory, { recursive: true })).toEqual([
      "records",
      "records/00",
      "records/00/.DS_Store",
    ]);
    await rm(directory, { recursive: true });
  });
});
