import { performance } from "node:perf_hooks";
import { begin } from "@sessions/driver-tests/records";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sqliteDriver } from "../src/index.ts";
import { openFile, ownFile } from "./support.ts";

async function ownDriver() {
  const driver = sqliteDriver({ client: openFile(ownFile()) });
  await driver.setup();
  return driver;
}

const name = fc.oneof(
  fc.constantFrom("__proto__/x", "constructor/__proto__", "-/1", "0/0", "a/A", "A/a", "/%00", "a/%22%5C"),
  fc.stringMatching(/^[A-Za-z0-9_%-]{0,8}\/[A-Za-z0-9_%/-]{0,8}$/),
);
const text = fc
  .oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "",
      "null",
      "1e999",
      "{}",
      '"',
      "\\",
      "\\u0041",
      "\u{7f}\u{80}\u2028\uFEFF\uFFFE\uFFFF",
      "𝒳'",
    ),
  )
  .map((value) => value.replaceAll("\0", ""));
const entries = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(name, value), { maxLength: 20 }).map((list) => new Map(list));

test("both ways to merge, that of few fields and that of many, do the same", async () => {
  const driver = await ownDriver();
  const filler = new Map(Array.from({ length: 501 }, (_, i) => [`filler ${i}`.replace(" ", "/"), null]));
  await fc.assert(
    fc.asyncProperty(
      entries(text),
      fc.array(entries(fc.option(text, { nil: null })), { maxLength: 3 }),
      async (begun, patches) => {
        const [few, many] = [await begin(driver, { fields: begun }), await begin(driver, { fields: begun })];
        const expected = new Map(begun);
        for (const patch of patches) {
          for (const [key, value] of patch) {
            if (value === null) expected.delete(key);
            else expected.set(key, value);
          }
          expect(await driver.commit(few, { fields: patch }, Date.now())).toBe("committed");
          await driver.commit(many, { fields: new Map([...filler, ...patch]) }, Date.now());
        }
        expect((await driver.load(few))?.fields).toEqual(expected);
        expect((await driver.load(many))?.fields).toEqual(expected);
      },
    ),
    { numRuns: 200 },
  );
});

test("a commit of ten thousand fields is one statement, whose time grows with their number", async () => {
  const driver = await ownDriver();
  const fields = (text: string, count: number) =>
    new Map(Array.from({ length: count }, (_, i) => [`many/${i}`, text]));
  const timed = async (id: string, change: Map<string, string | null>) => {
    const begun = performance.now();
    expect(await driver.commit(id, { fields: change }, Date.now())).toBe("committed");
    return performance.now() - begun;
  };
  const times = [
    await timed(await begin(driver), fields("1", 10_000)),
    await timed(await begin(driver, { fields: fields("1", 10_000) }), fields("2", 10_000)),
    await timed(await begin(driver, { fields: fields("1", 10_000) }), fields("2", 500)),
    await timed(await begin(driver, { fields: fields("1", 10_000) }), fields("2", 1)),
  ].map((ms) => `${ms.toFixed(1)} ms`);
  console.log(
    `10,000 fields into an empty session ${times[0]}; of a session of 10,000: all changed ${times[1]}, 500 changed ${times[2]}, 1 changed ${times[3]}`,
  );
});
