import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Driver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { expect, test } from "vitest";
import { fileDriver } from "../src/index.ts";
import { SHARDS } from "../src/layout.ts";
import { pair, stateAfter } from "./steps.ts";
import { begin, newId, ownFolder } from "./support.ts";

/** The writer as one file, so that hundreds of processes start quickly. esbuild comes with the test services' tsx. */
async function buildWriter(folder: string): Promise<string> {
  let { require } = { require: createRequire(import.meta.url) };
  for (const name of ["@sessions/test-services", "tsx"]) require = createRequire(require.resolve(name));
  const writer = join(folder, "writer.mjs");
  await promisify(execFile)(process.execPath, [
    join(require.resolve("esbuild"), "../../bin/esbuild"),
    fileURLToPath(new URL("writer.ts", import.meta.url)),
    ...["--bundle", "--platform=node", "--format=esm", "--conditions=@sessions/source"],
    `--outfile=${writer}`,
  ]);
  return writer;
}

interface Writer {
  readonly child: ChildProcess;
  readonly name: string;
  readonly own: string;
  /** Its output. */
  acknowledged(): string;
}

function startWriter(program: string, args: { directory: string; shared: string; times?: number }): Writer {
  const [name, own] = [`w${newId()}`, newId()];
  const { directory, shared, times } = args;
  const child = spawn(
    process.execPath,
    [program, directory, name, own, shared, ...(times === undefined ? [] : [`${times}`, "counter"])],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  return { child, name, own, acknowledged: () => printed };
}

/** Its own session, and its part of the shared one, are as after its last acknowledged step or the next one. */
async function checkWriter(driver: ListingDriver, { name, own, acknowledged }: Writer, shared: string) {
  const printed = acknowledged();
  const [owns, shareds] = ["o", "s"].map((letter) => printed.split(letter).length - 1);
  const inOwn = owns === shareds;
  const record = await driver.load(own);
  const found = record && { fields: record.fields, principal: record.principal };
  const possible = [stateAfter(owns ?? 0), ...(inOwn ? [stateAfter((owns ?? 0) + 1)] : [])];
  expect(possible).toContainEqual(found);
  for (const principal of ["p0", "p1"])
    expect((await listed(driver, principal)).has(own)).toBe(found?.principal === principal);

  const all = (await driver.load(shared))?.fields;
  const part = new Map([...(all ?? [])].filter(([field]) => field.startsWith(`${name}/`)));
  const parts = [shareds, ...(inOwn ? [] : [(shareds ?? 0) + 1])].map((step) =>
    step === 0 ? new Map() : pair(name, step ?? 0),
  );
  expect(parts).toContainEqual(part);
}

async function listed(driver: ListingDriver, principal: string): Promise<Set<string>> {
  const ids = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await driver.list({ principal, limit: 100, cursor }, Date.now());
    for (const { id } of page.records) ids.add(id);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ids;
}

/** Files that no longer belong to a record. */
async function leftovers(directory: string): Promise<string[]> {
  const found = (await readdir(join(directory, "drafts"))).map((name) => `drafts/${name}`);
  for (const shard of SHARDS)
    for (const id of await readdir(join(directory, "records", shard))) {
      const files = await readdir(join(directory, "records", shard, id));
      if (files.length !== 1 || files[0]?.startsWith("~")) found.push(`${id}: ${files.join(" ")}`);
    }
  return found;
}

const sweep = (driver: Driver) => driver.sweep({ after: 0, before: Date.now(), limit: 1000 });

async function prepare(): Promise<{
  directory: string;
  driver: ListingDriver & ProvisionedDriver;
  program: string;
  shared: string;
}> {
  const directory = await ownFolder();
  const program = await buildWriter(await ownFolder());
  const driver = fileDriver({ directory, timeout: "30s" });
  await driver.setup();
  return { directory, driver, program, shared: await begin(driver) };
}

test("300 writers that are killed at any moment leave every session whole, and all that was acknowledged", async () => {
  const { directory, driver, program, shared } = await prepare();
  let [killed, acknowledged] = [0, 0];
  const killOneByOne = async () => {
    while (killed < 300) {
      killed++;
      const writer = startWriter(program, { directory, shared });
      await once(writer.child.stdout ?? writer.child, "data");
      // A random time, so that the process is killed at any moment.
      await setTimeout(Math.random() * 100);
      writer.child.kill("SIGKILL");
      await once(writer.child, "close");
      acknowledged += writer.acknowledged().length;
      await checkWriter(driver, writer, shared);
    }
  };
  await Promise.all([1, 2, 3, 4].map(killOneByOne));
  const left = (await leftovers(directory)).length;
  expect(await sweep(driver)).toBe(0);
  expect(await leftovers(directory)).toEqual([]);
  expect(await driver.check()).toEqual([]);
  console.log(
    `${killed} writers were killed: ${acknowledged} acknowledged changes, none lost, none half; of ${left} leftovers a sweep left 0`,
  );
}, 240_000);

test("writers that stop at any moment, and go on after others, lose nothing and undo nothing", async () => {
  const { directory, driver, program, shared } = await prepare();
  const times = 100;
  const writers = Array.from({ length: 4 }, () => startWriter(program, { directory, shared, times }));
  const running = new Set(writers.map(({ child }) => child));
  const ends = writers.map(async ({ child }) => {
    const [code] = await once(child, "close");
    running.delete(child);
    expect(code).toBe(0);
  });
  let stops = 0;
  let ended = false;
  const stopping = (async () => {
    while (!ended) {
      const [child] = [...running].sort(() => Math.random() - 0.5);
      child?.kill("SIGSTOP");
      stops++;
      // Long enough for others to change the session several times.
      await setTimeout(30 + Math.random() * 50);
      child?.kill("SIGCONT");
      // Short enough to find it in the middle of the next change.
      await setTimeout(Math.random() * 10);
    }
  })();
  const sweeping = (async () => {
    while (!ended) await sweep(driver);
  })();
  await Promise.all(ends);
  ended = true;
  await Promise.all([stopping, sweeping]);
  const record = await driver.load(shared);
  expect(record?.fields.get("all/count")).toBe(String(4 * times));
  expect(record?.version).toBe(1 + 2 * 4 * times);
  for (const writer of writers) await checkWriter(driver, writer, shared);
  await sweep(driver);
  expect(await leftovers(directory)).toEqual([]);
  console.log(
    `${8 * times} commits of 4 processes to one session, ${stops} times one stood still: none lost`,
  );
}, 240_000);
