/**
 * Compares layouts of a session in MySQL. Run `node_modules/.bin/tsx --no-warnings src/experiments/mysql-layout.ts` in
 * `bench/`; `--quick` only shows that it runs. The results are in docs/mysql-layout.md.
 */
import { deepEqual } from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import process from "node:process";
import Table from "cli-table3";
import { createPool, type Pool, type RowDataPacket } from "mysql2/promise";
import { inTurns } from "../measure/rounds.ts";
import { quantile, show } from "../measure/statistics.ts";
import { findService, releaseServices, usedVersions } from "../services.ts";
import { type Layout, layoutsOf, WHOLE } from "./mysql-layouts.ts";

const quick = process.argv.includes("--quick");
const SIZES = [1, 5, 20, 100];
const SESSIONS = 100;
const AT_ONCE = 32;
const ROUNDS = quick ? 1 : 7;
const MS = quick ? 40 : 300;
const HOUR = 3_600_000;
/** Ratios are relative to the time of this layout in the same round. */
const STANDARD = "JSON_SET";

const randomText = (bytes: number): string => randomBytes(bytes / 2).toString("hex");

/** The cost of one call, on average over a round. */
interface Sample {
  /** Microseconds with 32 calls at once: the inverse of calls a second. */
  readonly wall: number;
  /** Microseconds of this process's processor time. */
  readonly cpu: number;
  /** Bytes, by the server's own counters. */
  readonly received: number;
  readonly sent: number;
  readonly redo: number;
}

type Operation = (layout: Layout, id: string) => Promise<unknown>;

async function committed(layout: Layout, id: string, name: string, text: string): Promise<void> {
  const outcome = await layout.commit(id, name, text, Date.now());
  if (outcome === "gone") throw new Error(`${layout.name}: a live session was gone`);
}

const operations: Readonly<Record<string, Operation>> = {
  load: (layout, id) => layout.load(id),
  "commit of 20 B": (layout, id) => committed(layout, id, "a/x", randomText(20)),
  "commit of 1 KB": (layout, id) => committed(layout, id, "data/0", randomText(1000)),
};

async function counted(pool: Pool): Promise<Pick<Sample, "received" | "sent" | "redo">> {
  const [rows] = await pool.query<RowDataPacket[]>(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Bytes_received', 'Bytes_sent', 'Innodb_os_log_written')",
  );
  const counts = new Map(
    rows.map((row) => [String(row["Variable_name"]).toLowerCase(), Number(row["Value"])]),
  );
  const of = (name: string): number => counts.get(name) ?? Number.NaN;
  return { received: of("bytes_received"), sent: of("bytes_sent"), redo: of("innodb_os_log_written") };
}

async function measure(pool: Pool, call: (i: number) => Promise<unknown>): Promise<Sample> {
  const before = await counted(pool);
  const used = process.cpuUsage();
  const begun = performance.now();
  let calls = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (performance.now() - begun < MS) await call(calls++);
    }),
  );
  const wall = ((performance.now() - begun) * 1000) / calls;
  const { user, system } = process.cpuUsage(used);
  const after = await counted(pool);
  const each = (name: keyof typeof after): number => (after[name] - before[name]) / calls;
  return {
    ...{ wall, cpu: (user + system) / calls },
    ...{ received: each("received"), sent: each("sent"), redo: each("redo") },
  };
}

/** Checks the contract's outcomes, so that no layout is fast because it leaves something out. */
async function prove(layout: Layout): Promise<void> {
  const now = Date.now();
  const id = randomText(32);
  await layout.create(id, new Map([["a/x", "1"]]), now + HOUR);
  const large = randomText(1000);
  const outcomes = [
    await layout.commit(id, "a/y", large, now),
    await layout.commit(id, "a/y", "small", now, 2),
    await layout.commit(id, "a/x", large, now, 3),
    await layout.commit(id, "a/x", "no", now, 3),
    await layout.commit(id, "a/x", randomText(1000), now, 3),
    await layout.commit(id, "a/x", "no", now + HOUR),
    await layout.commit(id, "a/x", randomText(1000), now + HOUR, 4),
    await layout.commit(randomText(32), "a/x", "no", now),
  ];
  const found = await layout.load(id);
  const expected = ["committed", "committed", "committed", "conflict", "conflict", "gone", "gone", "gone"];
  deepEqual([...outcomes, found?.version], [...expected, 4], layout.name);
  // The whole row is written as the client last saw it, so it loses the other commit.
  if (layout.name !== WHOLE)
    deepEqual(Object.fromEntries(found?.fields ?? []), { "a/x": large, "a/y": "small" }, layout.name);
}

async function measureSize(pool: Pool, kilobytes: number): Promise<string[][]> {
  const layouts = layoutsOf(pool);
  const ids = Array.from({ length: SESSIONS }, () => randomText(32));
  const fields = new Map(Array.from({ length: kilobytes }, (_, i) => [`data/${i}`, randomText(1000)]));
  fields.set("a/x", randomText(20));
  const results = new Map<Layout, string[]>(layouts.map((layout) => [layout, []]));
  try {
    for (const layout of layouts) {
      await layout.teardown();
      await layout.setup();
      await prove(layout);
      for (const id of ids) await layout.create(id, fields, Date.now() + HOUR);
    }
    for (const [name, operation] of Object.entries(operations)) {
      console.log(`${kilobytes} KB, ${name}`);
      const samples = await inTurns(layouts, ROUNDS, (layout) =>
        measure(pool, (i) => operation(layout, ids[i % SESSIONS] ?? "")),
      );
      const standard = [...samples].find(([{ name }]) => name === STANDARD)?.[1] ?? [];
      for (const [layout, own] of samples) {
        const median = (read: (sample: Sample, round: number) => number): number =>
          quantile(own.map(read), 0.5);
        const ratio = median(({ wall }, round) => wall / (standard[round]?.wall ?? Number.NaN));
        results
          .get(layout)
          ?.push(
            `${show(median(({ wall }) => wall))} (${show(ratio, 2)})`,
            show(median(({ cpu }) => cpu)),
            name === "load" ? show(median(({ sent }) => sent)) : show(median(({ received }) => received)),
            ...(name === "load" ? [] : [show(median(({ redo }) => redo))]),
          );
      }
    }
  } finally {
    for (const layout of layouts) await layout.teardown();
  }
  return [...results].map(([layout, cells]) => [`${kilobytes} KB`, layout.name, ...cells]);
}

const found = await findService("mysql");
if ("missing" in found) throw new Error(found.missing);
const pool = createPool(found.url);
try {
  const rows: string[][] = [];
  for (const size of SIZES) rows.push(...(await measureSize(pool, size)));
  const table = new Table({
    head: [
      ...["session", "layout"],
      ...["load µs", "CPU", "sent"],
      ...["20 B µs", "CPU", "received", "redo"],
      ...["1 KB µs", "CPU", "received", "redo"],
    ],
    // No colours, and no lines between rows.
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  table.push(...rows);
  console.log(`${table}`);
  console.log(
    `${await usedVersions()}, Node ${process.versions.node}; medians of ${ROUNDS} rounds, ${AT_ONCE} calls under way.`,
  );
  console.log(
    `In brackets: of the time of ${STANDARD}, the driver's layout by the bare client, in the same round.`,
  );
} finally {
  await pool.end();
  await releaseServices();
}
