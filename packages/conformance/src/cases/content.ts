import { type Change, type Driver, isSessionError } from "@sessions/core";
import fc from "fast-check";
import * as assert from "../assert.ts";
import type { Case, Kit } from "../kit.ts";
import {
  begin,
  fieldsOf,
  HOUR,
  loaded,
  manyFields,
  newId,
  sameFields,
  sameRecord,
  set,
  touch,
} from "../support.ts";
import { characters, longTexts, oddNames, oddTexts } from "../texts.ts";

/** Stores the same fields by `create` and by `commit`, because drivers often have separate code for the two. */
async function roundTrip({ driver, now }: Kit, fields: ReadonlyMap<string, string>): Promise<void> {
  sameFields((await loaded(driver, await begin(driver, now, { fields }))).fields, fields);
  const id = await begin(driver, now);
  assert.equal(await driver.commit(id, { fields }, now), "committed", "commit");
  sameFields((await loaded(driver, id)).fields, fields);
}

const REFUSED = "refused";

function refusal(error: unknown): typeof REFUSED {
  if (isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
  assert.ok(isSessionError(error, "ERR_SESSION_TOO_LARGE"), `expected SessionTooLargeError, not ${error}`);
  return REFUSED;
}

/** Stores a text, which must come back unchanged or be refused whole with `SessionTooLargeError`. */
async function allOrRefused(driver: Driver, now: number, text: string): Promise<void> {
  const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/x", text]) };
  const { id: large, created } = await patiently(async () => {
    const id = newId();
    return { id, created: await driver.create(id, record, now).catch(refusal) };
  });
  const found = await patiently(() => driver.load(large));
  if (created === REFUSED) assert.equal(found, undefined, "a refused text must not be stored");
  else sameFields(found?.fields ?? fieldsOf(), record.fields);
  const small = fieldsOf(["a/x", "small"], ["a/y", "kept"]);
  const id = await begin(driver, now, { fields: small });
  const outcome = await patiently(() => driver.commit(id, set("a/x", text), now).catch(refusal));
  const left = await patiently(() => loaded(driver, id));
  if (outcome === REFUSED) sameRecord(left, { version: 1, fields: small });
  else sameFields(left.fields, fieldsOf(["a/x", text], ["a/y", "kept"]));
}

/** Tries twice, because on a busy machine megabytes can take longer than the short timeout that outages need. */
async function patiently<T>(call: () => Promise<T>, tries = 4): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (tries === 1 || !isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
    return patiently(call, tries - 1);
  }
}

/** Bytes reserved for names, version, expiry and what the backend adds, if the limit is below 1 MiB. */
const OVERHEAD = 2_048;
const MIB = 1024 * 1024;
const largest = (maxBytes: number): number => (maxBytes < MIB ? maxBytes - OVERHEAD : MIB);

const alphabet = "abcxyzABCXYZ0189_%-/";
const anyName = fc
  .tuple(...[0, 1].map(() => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 })))
  .map((parts) => parts.join("/"));
/** Characters without surrogates and without NUL, which the contract excludes. */
const anyText = fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.replaceAll("\0", "0"));

export const contentCases: Case[] = [
  {
    rule: "R9.1",
    title: "odd texts come back as they went in, the empty one included",
    async run(kit) {
      await roundTrip(kit, new Map(oddTexts.map((text, i) => [`odd/${i}`, text])));
      for (const text of longTexts)
        if (Buffer.byteLength(text) <= largest(kit.maxBytes))
          await roundTrip(kit, fieldsOf(["odd/long", text]));
    },
  },
  {
    rule: "R9.2",
    title: "every character of the basic plane comes back, and one in fifty of the others",
    async run(kit) {
      const blocks: string[] = [];
      for (let first = 1; first <= 0xffff; first += 8_192)
        blocks.push(characters(first, Math.min(first + 8_191, 0xffff)));
      blocks.push(characters(0x10000, 0x8ffff, 50), characters(0x90000, 0x10ffff, 50));
      for (const text of blocks) await roundTrip(kit, fieldsOf(["all/characters", text]));
    },
  },
  {
    rule: "R9.3",
    title: "odd field names stay apart: by case, by a sign or digit in front, by escapes, `__proto__/x`",
    async run(kit) {
      const { driver, now } = kit;
      const fields = new Map(oddNames.map((name) => [name, `text of ${name}`]));
      await roundTrip(kit, fields);
      const id = await begin(driver, now, { fields });
      for (const [i, name] of oddNames.entries()) {
        if (i % 2 === 0) fields.set(name, "changed");
        else fields.delete(name);
        const text = i % 2 === 0 ? "changed" : null;
        assert.equal(
          await driver.commit(id, { fields: new Map([[name, text]]) }, now),
          "committed",
          "commit",
        );
      }
      sameFields((await loaded(driver, id)).fields, fields);
    },
  },
  {
    rule: "R9.4",
    title: "field names of 2,048 characters that differ in the last one stay apart",
    async run(kit) {
      const stem = `store/${"k".repeat(2_041)}`;
      const names = [`${stem}a`, `${stem}b`, `${stem}A`, stem];
      await roundTrip(kit, new Map(names.map((name, i) => [name, String(i)])));
      const id = await begin(kit.driver, kit.now, {
        fields: new Map(names.map((name, i) => [name, String(i)])),
      });
      await kit.driver.commit(id, { fields: new Map([[names[0] ?? "", null]]) }, kit.now);
      sameFields(
        (await loaded(kit.driver, id)).fields,
        new Map(names.slice(1).map((name, i) => [name, String(i + 1)])),
      );
    },
  },
  {
    rule: "R9.5",
    title: "a text of 1 MiB, or of the most that the backend holds, comes back whole",
    async run(kit) {
      // No pattern repeats at the size of a block, so that a lost or swapped block shows.
      const pattern = "0123456789abcdefghijklmnopqrstuvwxyz-";
      const size = largest(kit.maxBytes);
      const text = pattern.repeat(Math.ceil(size / pattern.length)).slice(0, size);
      await roundTrip(kit, fieldsOf(["a/large", text]));
      // As many bytes in longer characters, which a codec of the backend may enlarge or cut.
      for (const part of ["\u20ac\ud83d\ude00", '"\\\n', '\u0001"'])
        await roundTrip(kit, fieldsOf(["a/large", part.repeat(Math.floor(size / Buffer.byteLength(part)))]));
    },
  },
  {
    rule: "R9.6",
    title: "ten thousand fields, or as many as the backend holds, come and go in one commit",
    async run(kit) {
      const { driver, now, fieldsPerCommit } = kit;
      const { maxFieldsPerCommit } = driver;
      const says = `maxFieldsPerCommit of the driver is ${maxFieldsPerCommit}, limits.fieldsPerCommit of the target is ${fieldsPerCommit}`;
      assert.equal(maxFieldsPerCommit, fieldsPerCommit, `${says}: both must be the same`);
      const fields = manyFields(kit, 10_000, "1");
      await roundTrip(kit, fields);
      const id = await begin(driver, now, { fields });
      const patch = new Map<string, string | null>();
      for (const [i, name] of [...fields.keys()].entries()) patch.set(name, i % 2 === 0 ? null : "2");
      assert.equal(await driver.commit(id, { fields: patch }, now), "committed", "commit");
      const expected = [...patch].filter((entry): entry is [string, string] => entry[1] !== null);
      sameFields((await loaded(driver, id)).fields, new Map(expected));
    },
  },
  {
    rule: "R9.7",
    title: "a record without fields is a record: created so, or after its last field was deleted",
    async run({ driver, now }) {
      const created = await begin(driver, now);
      sameFields((await loaded(driver, created)).fields, fieldsOf());
      assert.equal(await driver.commit(created, set("a/x", "1"), now), "committed", "commit");
      const emptied = await begin(driver, now, { fields: fieldsOf(["a/x", "1"]) });
      assert.equal(
        await driver.commit(emptied, { fields: new Map([["a/x", null]]) }, now),
        "committed",
        "commit",
      );
      sameFields((await loaded(driver, emptied)).fields, fieldsOf());
      assert.equal(await driver.commit(emptied, set("a/y", "2"), now), "committed", "commit");
      // Together with other changes. This case only asks whether the record is still there.
      const extras: Partial<Change>[] = [
        {},
        { expiresAt: now + 2 * HOUR },
        { principal: "bob" },
        { ifVersion: 1 },
      ];
      for (const principal of [undefined, "alice"])
        for (const extra of extras) {
          const id = await begin(driver, now, { principal, fields: fieldsOf(["a/x", "1"]) });
          await driver.commit(id, { ...extra, fields: new Map([["a/x", null]]) }, now);
          await driver.commit(id, touch(now + 3 * HOUR), now);
          await loaded(driver, id);
        }
    },
  },
  {
    rule: "R9.8",
    title: "a text beyond what the backend holds is stored whole or refused whole with SessionTooLargeError",
    async run({ driver, now, maxBytes }) {
      // 17 MiB is over the default maximum of a document or packet in several backends.
      await allOrRefused(driver, now, "x".repeat(maxBytes < MIB ? 2 * maxBytes : 17 * MIB));
    },
  },
  {
    rule: "R9.9",
    title: "any texts under any names come back: whichever call set them",
    async run(kit) {
      const told = fc.uniqueArray(fc.tuple(anyName, anyText), { selector: ([name]) => name, maxLength: 6 });
      // A slow backend gets fewer of them, so that the case stays short.
      const end = Date.now() + 500;
      let tries = 0;
      const property = fc.asyncProperty(told, told, async (first, second) => {
        if (tries++ > 0 && Date.now() > end) return;
        const { driver, now } = kit;
        const id = await begin(driver, now, { fields: new Map(first) });
        await driver.commit(id, { fields: new Map(second) }, now);
        sameFields((await loaded(driver, id)).fields, new Map([...first, ...second]));
      });
      const { failed, errorInstance } = await fc.check(property, { seed: kit.seed });
      if (failed)
        assert.fail(
          `${errorInstance instanceof Error ? errorInstance.message : errorInstance} (seed ${kit.seed})`,
        );
    },
  },
];
