import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { sweepBesideCommits } from "@sessions/driver-tests";
import { expect, test } from "vitest";
import { fileDriver } from "../src/index.ts";
import { encode } from "../src/layout.ts";
import { begin, HOUR, newId, ownFolder } from "./support.ts";

/** Each is a folder and a file; more of them take minutes, and show no more. */
const RECORDS = 40_000;

/** As the driver writes it, without waiting for the disk. */
function plant(directory: string, expiresAt: number): string {
  const id = newId();
  const folder = join(directory, "records", id.slice(0, 2), id);
  mkdirSync(folder, { mode: 0o700 });
  const file = join(folder, "1000");
  writeFileSync(file, encode({ version: 1, expiresAt, fields: new Map([["a/x", "1"]]) }), { mode: 0o600 });
  utimesSync(file, expiresAt / 1000, expiresAt / 1000);
  return id;
}

test(`half of ${RECORDS} records go by sweeps, beside commits, and no commit is lost`, async () => {
  const directory = await ownFolder();
  const driver = fileDriver({ directory, timeout: "30s" });
  await driver.setup();
  const now = Date.now();
  const live: string[] = [];
  for (let i = 0; i < RECORDS / 2; i++) {
    plant(directory, now - HOUR - i);
    live.push(plant(directory, now + HOUR));
  }
  const begun = performance.now();
  const figures = await sweepBesideCommits({
    sweeper: driver,
    writer: fileDriver({ directory, timeout: "30s" }),
    live: live.slice(0, 1000),
    expired: RECORDS / 2,
    batch: 1000,
  });
  const seconds = Math.round((performance.now() - begun) / 1000);
  let left = 0;
  for (const shard of readdirSync(join(directory, "records")))
    left += readdirSync(join(directory, "records", shard)).length;
  expect(left).toBe(live.length);

  const idle = performance.now();
  expect(await driver.sweep({ after: 0, before: now, limit: 1000 })).toBe(0);
  const round = Math.round(performance.now() - idle);
  console.log(
    `${figures.removed} expired among ${RECORDS} went in ${seconds} s, in ${figures.batches} batches of at most ${Math.round(figures.longestBatch)} ms; ` +
      `${figures.commits} commits meanwhile, the longest ${Math.round(figures.longestCommit)} ms; a round that finds nothing among ${left} takes ${round} ms`,
  );
}, 600_000);

test("a sweep removes what killed processes left, and no live record", async () => {
  const directory = await ownFolder();
  const driver = fileDriver({ directory });
  await driver.setup();
  const id = await begin(driver, { fields: new Map([["a/x", "1"]]) });
  const folder = join(directory, "records", id.slice(0, 2), id);
  const [current = ""] = await readdir(folder);
  await writeFile(join(folder, `~${newId()}`), "half of a dra");
  await writeFile(join(folder, String(Number(current) - 1)), "what was before");
  const draft = join(directory, "drafts", newId());
  await mkdir(draft);
  await writeFile(join(draft, "1"), "half of a rec");
  // And an ended record whose folder still exists.
  const ended = newId();
  const grave = join(directory, "records", ended.slice(0, 2), ended);
  await mkdir(grave);
  await writeFile(join(grave, "7"), encode(null));
  utimesSync(join(grave, "7"), 0, 0);
  const record = await driver.load(id);

  expect(await driver.sweep({ after: 0, before: Date.now(), limit: 10 })).toBe(0);
  expect(await readdir(folder)).toEqual([current]);
  expect(await readdir(join(directory, "drafts"))).toEqual([]);
  await expect(readdir(grave)).rejects.toMatchObject({ code: "ENOENT" });
  expect(await driver.load(id)).toEqual(record);
});

test("a sweep goes on where the one before it ended, and leaves nothing out", async () => {
  const directory = await ownFolder();
  const driver = fileDriver({ directory });
  await driver.setup();
  const now = Date.now();
  const count = 50;
  for (let i = 0; i < count; i++) plant(directory, now - HOUR);
  for (let removed = 0; removed < count; removed += 5) {
    expect(await driver.sweep({ after: 0, before: now, limit: 5 })).toBe(5);
    // After the position and before it.
    if (removed === 20) for (let i = 0; i < count; i++) plant(directory, now - HOUR);
  }
  const rest = async () => driver.sweep({ after: 0, before: now, limit: 1000 });
  expect(await rest()).toBe(count);
  expect(await rest()).toBe(0);
});
