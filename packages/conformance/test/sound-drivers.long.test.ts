import {
  type Driver,
  DriverUnavailableError,
  type ListingDriver,
  SessionTooLargeError,
} from "@sessions/core";
import { describe, expect, test } from "vitest";
import { cases } from "../src/cases/index.ts";
import { runConformance, type Target, testDriver } from "../src/index.ts";
import type { Need } from "../src/kit.ts";
import { yieldToEventLoop } from "../src/support.ts";
import { copy, isLive, type Line, outageOf, type Rows, remoteDriver, simpleDriver } from "./simple-driver.ts";
import { memoryTarget, provisionedTarget, remoteTarget, simpleTarget, worldTarget } from "./targets.ts";

describe("the memory driver keeps every rule", () => {
  testDriver({ test, target: memoryTarget() });
});

/** Takes a different while for each call, as a network does. */
let calls = 0;
async function uneven(): Promise<void> {
  for (let i = calls++ % 4; i >= 0; i--) await yieldToEventLoop();
}

/** Removes what has expired by itself, hides it until then, and so leaves nothing to sweep. */
function selfExpiring(): Target {
  return worldTarget((rows) => {
    const sound = simpleDriver(() => rows);
    return {
      ...sound,
      async load(id) {
        const record = await sound.load(id);
        return record && record.expiresAt > Date.now() - 6 * 60_000 ? record : undefined;
      },
      sweep: async () => 0,
    };
  });
}

/** Lists by an index on principals that lags behind the records. */
function laggingList(): Target {
  return worldTarget((rows) => {
    const sound = simpleDriver(() => rows);
    const index = new Map<string, string | undefined>();
    let looks = 0;
    const driver: ListingDriver = {
      ...sound,
      eventualList: true,
      async list(query, now) {
        if (query.principal === undefined) return sound.list(query, now);
        await yieldToEventLoop();
        if (++looks % 2 === 0) for (const [id, row] of rows) index.set(id, row.principal);
        const records = [...rows]
          .filter(([id, row]) => isLive(row, now) && index.get(id) === query.principal)
          .filter(([, row]) => row.principal === query.principal)
          .map(([id, row]) => ({ id, ...copy(row) }));
        return { records };
      },
    };
    return driver;
  });
}

/** Holds 400,000 bytes a record. */
function small(more: Partial<Target> = {}, declared: Partial<Driver> = { maxRecordBytes: 400_000 }): Target {
  return worldTarget((rows) => {
    const sound = simpleDriver(() => rows);
    const weigh = (...maps: ReadonlyMap<string, string | null>[]): void => {
      let bytes = 0;
      for (const map of maps)
        for (const [name, text] of map) bytes += name.length + 3 + Buffer.byteLength(text ?? "");
      if (bytes > 400_000) throw new SessionTooLargeError("a record holds at most 400,000 bytes");
    };
    return {
      ...sound,
      ...declared,
      async create(id, record, now) {
        weigh(record.fields);
        return sound.create(id, record, now);
      },
      async commit(id, change, now) {
        weigh(change.fields);
        return sound.commit(id, change, now);
      },
    };
  }, more);
}

/** Takes a hundred fields in one call. */
function few(more: Partial<Target>, declared: Partial<Driver>): Target {
  return worldTarget((rows) => {
    const sound = simpleDriver(() => rows);
    const count = ({ size }: ReadonlyMap<string, unknown>): void => {
      if (size > 100) throw new SessionTooLargeError("a call takes at most 100 fields");
    };
    return {
      ...sound,
      ...declared,
      async create(id, record, now) {
        count(record.fields);
        return sound.create(id, record, now);
      },
      async commit(id, change, now) {
        count(change.fields);
        return sound.commit(id, change, now);
      },
    };
  }, more);
}

/** Lists a principal's records alone. */
const narrowed = (sound: ListingDriver): ListingDriver => ({
  ...sound,
  principalsOnly: true,
  async list(query, now) {
    if (query.principal === undefined) throw new Error("list needs a principal");
    return sound.list(query, now);
  },
});

const byPrincipal = (more: Partial<Driver> = {}): Target =>
  worldTarget((rows) => narrowed({ ...simpleDriver(() => rows), ...more }));

/** The same behind a line that can be cut. */
function remoteByPrincipal(): Target {
  const line: Line = { up: true };
  return worldTarget((rows) => narrowed(remoteDriver(rows, line)), { outage: outageOf(line) });
}

/** Of more than 200 commits at once the rest is rejected as late; half of it arrives all the same, between later calls. */
function lateUnderLoad(): Target {
  return worldTarget((rows) => {
    const sound = simpleDriver(() => rows);
    let underWay = 0;
    let late = 0;
    const arriving: (() => void)[] = [];
    return {
      ...sound,
      async load(id) {
        const record = await sound.load(id);
        // A few at a time, so that each load finds more of them.
        for (const arrive of arriving.splice(0, 5)) arrive();
        return record;
      },
      async commit(id, given, now) {
        const change = { ...given, fields: new Map(given.fields) };
        const place = ++underWay;
        try {
          if (place <= 200) return await sound.commit(id, change, now);
          await yieldToEventLoop();
          if (late++ % 2 === 0) arriving.push(() => void sound.commit(id, change, now));
          throw new DriverUnavailableError("no answer in time; a change may or may not have been made");
        } finally {
          underWay--;
        }
      },
    };
  });
}

/** What a target, or its driver, lacks, as the reason for a skip says it. */
const reasons: Record<Need, string> = {
  list: "the driver does not list",
  everyone: "the driver lists only a principal's records",
  setup: "the driver needs no setup",
  outage: "the target has no outage",
  // What has an outage here has it whole.
  drop: "the target has no outage",
  shared: "the target is not shared",
};

const skippedFor = (...lacks: Need[]) =>
  cases
    .filter(({ needs }) => needs && lacks.includes(needs === "drop" ? "outage" : needs))
    .map(({ rule, title, needs }) => ({
      rule,
      title: `${title} (skipped: ${needs && reasons[needs]})`,
      status: "skipped",
    }));

const withoutList = (): Target =>
  worldTarget((rows) => {
    const { name, create, load, commit, destroy, sweep } = simpleDriver(() => rows);
    return { name, create, load, commit, destroy, sweep };
  });

test.each<[string, Target, Need[]]>([
  ["the memory driver", memoryTarget(), ["shared", "outage", "setup"]],
  ["the simplest driver", simpleTarget(), ["outage", "setup"]],
  ["a driver that lists a principal's records", byPrincipal(), ["outage", "setup", "everyone"]],
  ["the same behind a line that can be cut", remoteByPrincipal(), ["setup", "everyone"]],
  ["a backend that evicts, with room", byPrincipal({ volatile: true }), ["outage", "setup", "everyone"]],
  [
    "a backend that takes a hundred fields at once",
    few({ limits: { fieldsPerCommit: 100 } }, { maxFieldsPerCommit: 100 }),
    ["outage", "setup"],
  ],
  [
    "a driver with uneven answers",
    worldTarget((rows) => simpleDriver(() => rows, uneven)),
    ["outage", "setup"],
  ],
  ["a driver behind a line that can be cut", remoteTarget(), ["setup"]],
  ["a driver with a table to set up", provisionedTarget(), ["outage"]],
  ["a backend that expires records by itself", selfExpiring(), ["outage", "setup"]],
  ["an index that lags", laggingList(), ["outage", "setup"]],
  [
    "a backend that is late under load, and does half of it all the same",
    lateUnderLoad(),
    ["outage", "setup"],
  ],
  ["a backend with small records, as the driver says", small(), ["outage", "setup"]],
  [
    "a backend with small records, as the target says",
    small({ limits: { recordBytes: 400_000 } }, {}),
    ["outage", "setup"],
  ],
])("%s passes, and only what does not apply is skipped", { timeout: 30_000 }, async (_, target, lacks) => {
  const { results } = await runConformance(target);
  expect(results.filter(({ status }) => status === "failed")).toEqual([]);
  expect(results.filter(({ status }) => status === "skipped")).toEqual(skippedFor(...lacks));
});

test.each<[string, Target, string[] | undefined]>([
  ["of one that keeps every rule, is nothing", simpleTarget(), undefined],
  [
    "of a backend that evicts",
    worldTarget((rows) => ({ ...simpleDriver(() => rows), volatile: true })),
    ["evicts sessions"],
  ],
  [
    "of one with all profiles",
    few(
      { limits: { fieldsPerCommit: 100 } },
      { maxFieldsPerCommit: 100, volatile: true, ...{ principalsOnly: true } },
    ),
    ["evicts sessions", "lists by principal only", "100 fields a commit"],
  ],
])("what the report tells of the driver, %s", async (_, target, profile) => {
  expect((await runConformance(target, { rules: ["R1.1", "R13.1"] })).profile).toEqual(profile);
});

/** Loses every record, or fields of records, when a driver is closed. */
const losing = (lose: (rows: Rows) => void, more: Partial<Driver>): Target =>
  worldTarget((rows) => ({ ...simpleDriver(() => rows), ...more, close: async () => lose(rows) }));

test("a backend that evicts may lose a record whole, and no field of one", async () => {
  const failing = async (target: Target) =>
    (await runConformance(target, { rules: ["R10"] })).results.filter(({ status }) => status === "failed");
  const whole = (rows: Rows) => rows.clear();
  const fields = (rows: Rows) => {
    for (const { fields } of rows.values()) fields.delete("a/y");
  };
  expect(await failing(losing(whole, { volatile: true }))).toEqual([]);
  for (const [lose, volatile] of [
    [whole, false],
    [fields, true],
  ] as const)
    expect((await failing(losing(lose, { volatile }))).map(({ rule }) => rule)).toEqual(["R10.3"]);
});

test("a driver that does not list passes, and each clause about listings is skipped for that reason", async () => {
  const { failed, results } = await runConformance(withoutList());
  expect(failed).toBe(0);
  const skipped = new Set(
    results.filter(({ title }) => title.endsWith("(skipped: the driver does not list)")),
  );
  expect(skipped.size).toBe(cases.filter(({ needs }) => needs === "list" || needs === "everyone").length);
});

describe("what the driver says of its fields is what the target says", () => {
  test.each<[string, Partial<Target>, Partial<Driver>, RegExp]>([
    ["another number", { limits: { fieldsPerCommit: 200 } }, { maxFieldsPerCommit: 100 }, /is 100.* is 200:/],
    ["a limit that the target does not name", {}, { maxFieldsPerCommit: 100 }, /is 100.* is undefined:/],
    ["none of its own", { limits: { fieldsPerCommit: 100 } }, {}, /is undefined.* is 100:/],
  ])("%s fails R9.6 alone", async (_, more, declared, message) => {
    const { results } = await runConformance(few(more, declared));
    const failed = results.filter(({ status }) => status === "failed");
    expect(failed.map(({ rule }) => rule)).toEqual(["R9.6"]);
    expect(failed[0]?.error).toMatchObject({ message: expect.stringMatching(message) });
  });

  test("a driver that takes fewer than it says fails", async () => {
    const { results } = await runConformance(
      few({ limits: { fieldsPerCommit: 101 } }, { maxFieldsPerCommit: 101 }),
    );
    expect(results.filter(({ status }) => status === "failed").map(({ rule }) => rule)).toContain("R9.6");
  });
});
