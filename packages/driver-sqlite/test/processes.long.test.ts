import { begin } from "@sessions/driver-tests/records";
import { describe, expect, onTestFinished, test } from "vitest";
import { fromUrl } from "../src/index.ts";
import { here, newer, type Program, type Runtime, start } from "./programs.ts";
import { openFile, ownFile, pluck } from "./support.ts";

const writer = new URL("./programs/writer.ts", import.meta.url);
const runtimes = [here, ...newer].filter((runtime) => !("missing" in runtime && runtime.missing));

async function ownDriver(path: string) {
  const driver = await fromUrl(`sqlite://${path}`);
  onTestFinished(() => driver.close());
  await driver.setup();
  return driver;
}

/** Starts several processes on one file at the same time. */
async function startWriters(runtimes: readonly Runtime[], path: string, task: string, ids: string[] = []) {
  const writers = runtimes.map((runtime, i) =>
    start(runtime, writer, `sqlite://${path}`, task, `w${i}`, ...ids),
  );
  onTestFinished(() => writers.forEach(({ child }) => void child.kill("SIGKILL")));
  await Promise.all(writers.map(({ says }) => says("ready")));
  for (const { child } of writers) child.stdin.write("go\n");
  return writers;
}

describe(`several processes on one file (${runtimes.map(({ name }) => name).join(", ")})`, () => {
  const four = Array.from({ length: 4 }, (_, i) => runtimes[i % runtimes.length] ?? here);

  test("all of them set it up at once, from nothing", async () => {
    const path = ownFile();
    const writers = await startWriters(four, path, "setup");
    await Promise.all(writers.map(({ ended }) => ended));
    const driver = await fromUrl(`sqlite://${path}`);
    onTestFinished(() => driver.close());
    for (const { lines } of writers) {
      expect(lines).toContain("found 0");
      const id = lines.find((line) => line.startsWith("begun "))?.split(" ")[1] ?? "";
      expect(await driver.load(id)).toMatchObject({ version: 1 });
    }
  });

  test("commits of all of them to one record survive, and are counted", async () => {
    const path = ownFile();
    const driver = await ownDriver(path);
    const id = await begin(driver);
    const writers = await startWriters(four, path, "fields", [id]);
    await Promise.all(writers.map(({ ended }) => ended));
    for (const { lines } of writers) expect(lines.filter((line) => line === "committed")).toHaveLength(150);
    const record = await driver.load(id);
    expect(record?.version).toBe(1 + 4 * 150);
    expect(record?.fields.size).toBe(4 * 150);
    console.log(`4 processes, 150 commits each to one record: ${record?.fields.size} of 600 are there`);
  });

  test("a compare-and-set has one winner, which is in the record", async () => {
    const path = ownFile();
    const driver = await ownDriver(path);
    const ids: string[] = [];
    for (let i = 0; i < 100; i++) ids.push(await begin(driver));
    const writers = await startWriters(four, path, "compare", ids);
    await Promise.all(writers.map(({ ended }) => ended));
    const wins = new Map(four.map((_, i) => [`w${i}`, 0]));
    for (const id of ids) {
      const outcomes = writers.map(({ lines }) => lines.find((line) => line.startsWith(id))?.split(" ")[1]);
      const winner = `w${outcomes.indexOf("committed")}`;
      expect(outcomes.toSorted()).toEqual(["committed", "conflict", "conflict", "conflict"]);
      expect(await driver.load(id)).toMatchObject({ version: 2, fields: new Map([["a/winner", winner]]) });
      wins.set(winner, (wins.get(winner) ?? 0) + 1);
    }
    console.log(`100 compare-and-sets of 4 processes, one winner each: ${JSON.stringify([...wins])}`);
  });
});

describe("writers that are killed at any moment", () => {
  const ROUNDS = 6;

  /** Expects each acknowledged commit to be stored, and the last, unacknowledged one wholly or not at all. */
  async function expectKept(driver: Awaited<ReturnType<typeof ownDriver>>, { lines }: Program) {
    const said = (word: string) =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(" ")[1] ?? "");
    const [id = ""] = said("begun");
    const acknowledged = Number(said("committed").at(-1) ?? 0);
    const record = await driver.load(id);
    const x = record?.fields.get("a/x");
    const stored = Number.parseInt(x ?? "0", 10);
    expect([acknowledged, acknowledged + 1]).toContain(stored);
    expect(record?.fields.get("a/y")).toBe(x);
    expect(record?.version).toBe(1 + stored);
    expect(record?.principal).toBe(stored === 0 ? undefined : `user ${stored}`);
    const destroyed = new Set(said("destroyed"));
    const created = said("created");
    for (const other of created) {
      // The last record may be destroyed although the process was killed before it could say so.
      if (other === created.at(-1) && !destroyed.has(other)) continue;
      expect((await driver.load(other)) === undefined).toBe(destroyed.has(other));
    }
    return acknowledged;
  }

  test.each(runtimes)(
    "lose nothing that was acknowledged, and leave no half commit: $name",
    async (runtime) => {
      const path = ownFile();
      const driver = await ownDriver(path);
      let acknowledged = 0;
      let kills = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const writers = await startWriters([runtime, runtime, runtime, runtime], path, "forever");
        await Promise.all(writers.map(({ says }) => says("committed")));
        await Promise.all(
          writers.map(async ({ child, ended }) => {
            // Kill the process at a random moment. No result depends on the length of this pause.
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
            child.kill("SIGKILL");
            await ended;
            kills++;
          }),
        );
        for (const killed of writers) acknowledged += await expectKept(driver, killed);
      }
      expect(pluck(openFile(path), "PRAGMA integrity_check")).toBe("ok");
      expect(await driver.check()).toEqual([]);
      console.log(`${runtime.name}: ${kills} writers killed, ${acknowledged} commits acknowledged, 0 lost`);
    },
  );
});
