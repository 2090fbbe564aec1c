import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { type Backend, FILLER, type Measurable, openBackend, ROWS } from "../backend.ts";
import { dynamodb } from "../backends/dynamodb.ts";
import { file } from "../backends/file.ts";
import { memory } from "../backends/memory.ts";
import { mongodb } from "../backends/mongodb.ts";
import { mysqlBackend } from "../backends/mysql.ts";
import { postgres } from "../backends/postgres.ts";
import { redis } from "../backends/redis.ts";
import { sqlite } from "../backends/sqlite.ts";
import { bars } from "../charts.ts";
import { sideBySide } from "../measure/rates.ts";
import { show, showSpread } from "../measure/statistics.ts";
import type { Figure, Question, RunOptions } from "../question.ts";

const backends: readonly Backend[] = [memory, sqlite, file, redis, postgres, mysqlBackend, mongodb, dynamodb];
const guide = new URL("../../../docs/choosing-a-backend.md", import.meta.url);
const MARKS = /(<!-- measured -->\n)[\s\S]*?(<!-- end of measured -->)/;
const HOUR = 3_600_000;
const TARGET = 0.9;

const HEAD = [
  ...["backend", "measured on", "round trips: read, write"],
  ...["reads a second", "of the bare client's", "writes a second", "of the bare client's"],
];

interface Measured {
  readonly row: readonly string[];
  readonly figures: readonly Figure[];
}

async function measure(name: string, opened: Measurable, rounds: number, ms: number): Promise<Measured> {
  const { driver, bare, roundTrips, version } = opened;
  const now = Date.now();
  const fields = new Map([["filler/x", FILLER]]);
  const ids = Array.from({ length: ROWS }, () => randomBytes(16).toString("hex"));
  for (const id of ids) await driver.create(id, { expiresAt: now + HOUR, fields }, now);
  const idOf = (i: number): string => ids[i % ROWS] ?? "";
  const change = (i: number) => ({ fields: new Map([["a/x", `${i}`.padStart(20, "0")]]) });

  const trips = [
    await roundTrips((other) => other.load(idOf(0))),
    await roundTrips((other) => other.commit(idOf(0), change(0), now)),
  ];
  const reads = await sideBySide(
    rounds,
    ms,
    (i) => driver.load(idOf(i)),
    (i) => bare.load(i % ROWS),
  );
  const writes = await sideBySide(
    rounds,
    ms,
    (i) => driver.commit(idOf(i), change(i), now),
    (i) => bare.commit(i % ROWS, `${i}`.padStart(20, "0")),
  );
  return {
    row: [
      ...[name, version, trips[0] === undefined ? "none" : trips.join(", ")],
      ...[reads, writes].flatMap(({ one, ratio }) => [show(one.median), showSpread(ratio, 2)]),
    ],
    figures: [
      { call: "load", trips: trips[0], ...reads },
      { call: "commit", trips: trips[1], ...writes },
    ].map(({ call, trips, one, other, ratio }) => ({
      ...{ backend: name, ours: true, version, call, roundTrips: trips, perSecond: one.median },
      ...{ barePerSecond: other.median, ratio: ratio.median, lower: ratio.lower, upper: ratio.upper },
    })),
  };
}

/** Writes the table into the guide on backends too. */
async function writeGuide(rows: readonly (readonly string[])[]): Promise<void> {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const markdown = [line(HEAD), line(HEAD.map(() => "---")), ...rows.map(line)].join("\n");
  await writeFile(guide, (await readFile(guide, "utf8")).replace(MARKS, `$1${markdown}\n$2`));
}

async function run({ quick, progress }: RunOptions) {
  const measured: Measured[] = [];
  const missing: string[] = [];
  for (const [i, backend] of backends.entries()) {
    progress(`${i + 1} of ${backends.length}: ${backend.name}`);
    const opened = await openBackend(backend);
    if (typeof opened === "string") {
      missing.push(opened);
      continue;
    }
    try {
      measured.push(await measure(backend.name, opened, quick ? 1 : 5, quick ? 40 : 1_000));
    } finally {
      await opened.close();
    }
  }
  const rows = measured.map(({ row }) => row);
  const figures = measured.flatMap((one) => one.figures);
  if (!quick && missing.length === 0) await writeGuide(rows);
  return {
    figures,
    tables: [{ title: "Each driver beside its bare client", head: HEAD, rows }],
    charts: [
      bars("drivers", figures, {
        title: "Calls a second, of the bare client's",
        label: "backend",
        value: "ratio",
        valueTitle: "of the bare client's",
        facet: "call",
      }),
    ],
    verdicts: figures.map(({ backend, call, ratio }) => ({
      what: `${backend}, ${call}: calls a second, of the bare client's`,
      target: `at least ${TARGET}`,
      reached: show(Number(ratio), 2),
      ok: Number(ratio) >= TARGET,
    })),
    notes: [
      "The bare client does the same work as written by hand: it reads a record by its id, or writes a field of a live record and counts the version.",
      "Without --quick, and if every server is there, docs/choosing-a-backend.md gets this table.",
      ...missing.map((sentence) => `Not measured: ${sentence}`),
    ],
  };
}

export const drivers: Question = { number: 2, title: "A driver, beside its bare client", run };
