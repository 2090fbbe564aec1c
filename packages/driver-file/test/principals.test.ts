import { mkdir, readdir, rename, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileDriver } from "../src/index.ts";
import { layoutOf } from "../src/layout.ts";
import { createPrincipals } from "../src/principals.ts";
import { begin, HOUR, newId, ownFolder } from "./support.ts";

async function open() {
  const directory = await ownFolder();
  const driver = fileDriver({ directory });
  await driver.setup();
  const entriesOf = (name: string): Promise<string[]> =>
    readdir(layoutOf(directory).principal(name)).catch(() => []);
  const idsOf = async (principal: string): Promise<string[]> =>
    (await driver.list({ principal, limit: 100 }, Date.now())).records.map(({ id }) => id);
  /** Makes the entries so old that their records exist or never will. */
  const age = async (name: string): Promise<void> => {
    const longAgo = new Date(Date.now() - HOUR - 1000);
    for (const entry of await entriesOf(name))
      await utimes(join(layoutOf(directory).principal(name), entry), longAgo, longAgo);
  };
  const sweep = () => driver.sweep({ after: 0, before: Date.now(), limit: 100 });
  return { directory, driver, entriesOf, idsOf, age, sweep };
}

describe("a principal's entries", () => {
  test("that name no record, or another principal's, go as they are listed", async () => {
    const { driver, entriesOf, idsOf, age } = await open();
    const [kept, destroyed, given] = [
      await begin(driver, { principal: "alice" }),
      await begin(driver, { principal: "alice" }),
      await begin(driver, { principal: "alice" }),
    ];
    await driver.destroy(destroyed, Date.now());
    await driver.commit(given, { fields: new Map(), principal: "bob" }, Date.now());
    expect(await idsOf("alice")).toEqual([kept]);
    expect(await entriesOf("alice")).toHaveLength(3);
    await age("alice");
    expect(await idsOf("alice")).toEqual([kept]);
    expect((await entriesOf("alice")).map((entry) => entry.slice(0, 32))).toEqual([kept]);
    expect(await idsOf("bob")).toEqual([given]);
  });

  test("that name no record go by a sweep, and the folder with the last one", async () => {
    const { directory, driver, entriesOf, idsOf, age, sweep } = await open();
    const kept = await begin(driver, { principal: "alice" });
    for (const principal of ["alice", "bob"])
      await driver.destroy(await begin(driver, { principal }), Date.now());
    await sweep();
    expect([(await entriesOf("alice")).length, (await entriesOf("bob")).length]).toEqual([2, 1]);
    await age("alice");
    await age("bob");
    await sweep();
    expect((await entriesOf("alice")).map((entry) => entry.slice(0, 32))).toEqual([kept]);
    const bob = layoutOf(directory).principal("bob");
    await expect(readdir(bob)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await idsOf("alice")).toEqual([kept]);
    await begin(driver, { principal: "bob" });
    expect(await idsOf("bob")).toHaveLength(1);
  });

  test("keep an entry whose record is on its way, beside an old one that goes", async () => {
    const { directory, driver, entriesOf, idsOf, age, sweep } = await open();
    const id = newId();
    const principals = createPrincipals(
      layoutOf(directory),
      (work) => work(new AbortController().signal),
      driver.load,
    );
    await principals.add("alice", id);
    await age("alice");
    // The step before the record is written.
    await principals.add("alice", id);
    expect(await idsOf("alice")).toEqual([]);
    await sweep();
    expect(await entriesOf("alice")).toHaveLength(1);
    const now = Date.now();
    await driver.create(id, { expiresAt: now + HOUR, fields: new Map() }, now);
    // By a commit that names the principal, so that it writes an entry too.
    await driver.commit(id, { fields: new Map(), principal: "alice" }, now);
    expect(await idsOf("alice")).toEqual([id]);
  });

  test("stay where the folders of records are missing", async () => {
    const { directory, driver, entriesOf, age, sweep } = await open();
    const id = await begin(driver, { principal: "alice" });
    await age("alice");
    await rename(join(directory, "records"), join(directory, "away"));
    await mkdir(join(directory, "records"));
    await expect(sweep()).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
    await expect(driver.list({ principal: "alice", limit: 1 }, Date.now())).rejects.toMatchObject({
      code: "ERR_SESSION_SETUP",
    });
    expect((await entriesOf("alice")).map((entry) => entry.slice(0, 32))).toEqual([id]);
  });
});
