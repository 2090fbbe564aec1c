import { execFile } from "node:child_process";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { fileDriver } from "../src/index.ts";
import { begin, ownFolder } from "./support.ts";

test("figures: nothing is asserted about time", async () => {
  const directory = await ownFolder();
  const driver = fileDriver({ directory, timeout: "30s" });
  await driver.setup();
  const now = Date.now();
  const perSecond = async (count: number, atOnce: number, body: (i: number) => Promise<unknown>) => {
    const begun = performance.now();
    for (let i = 0; i < count; i += atOnce)
      await Promise.all(Array.from({ length: atOnce }, (_, n) => body(i + n)));
    return Math.round((count / (performance.now() - begun)) * 1000);
  };
  const ids: string[] = [];
  const filler = new Map([["a/filler", "x".repeat(1000)]]);
  const create = async () => {
    ids.push(await begin(driver, { fields: filler }));
  };
  const commit = (id = "") => driver.commit(id, { fields: new Map([["a/x", `${Math.random()}`]]) }, now);
  const figures = {
    "create, 20 at once": await perSecond(400, 20, create),
    "load, 20 at once": await perSecond(2000, 20, (i) => driver.load(ids[i % ids.length] ?? "")),
    "commit, one after the other": await perSecond(100, 1, (i) => commit(ids[i])),
    "commit, 20 at once": await perSecond(400, 20, (i) => commit(ids[i])),
    "commit to one session, 20 at once": await perSecond(400, 20, () => commit(ids[0])),
  };
  const { stdout } = await promisify(execFile)("du", ["-sk", `${directory}/records`]);
  const kilobytes = (Number(stdout.split("\t")[0]) - 257 * 4) / ids.length;
  console.log(
    `a second, with sessions of 1 KB: ${JSON.stringify(figures)}; ${kilobytes} KB on disk for each`,
  );
  expect(ids).toHaveLength(400);
});
