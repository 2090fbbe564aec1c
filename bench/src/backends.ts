// `pnpm bench:backends`: every driver beside its bare client, on this machine. Writes the table into the guide.
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import Table from "cli-table3";
import { type Backend, FILLER, type Measurable, openBackend, ROWS } from "./backend.ts";
import { dynamodb } from "./backends/dynamodb.ts";
import { file } from "./backends/file.ts";
import { memory } from "./backends/memory.ts";
import { mongodb } from "./backends/mongodb.ts";
import { mysqlBackend } from "./backends/mysql.ts";
import { postgres } from "./backends/postgres.ts";
import { redis } from "./backends/redis.ts";
import { sqlite } from "./backends/sqlite.ts";
import { sideBySide } from "./measure.ts";

const backends: Backend[] = [memory, sqlite, file, redis, postgres, mysqlBackend, mongodb, dynamodb];
const guide = new URL("../../docs/choosing-a-backend.md", import.meta.url);
const MARKS = /(<!-- measured -->\n)[\s\S]*?(\n<!-- end of measured -->)/;

const quick = process.argv.includes("--quick");
const [ROUNDS, MS] = quick ? [1, 200] : [5, 1_000];
const HOUR = 3_600_000;

const HEAD = [
  ...["backend", "measured on", "round trips: read, write"],
  ...["reads a second", "of the bare client's", "writes a second", "of the bare client's"],
];

async function measure(name: string, opened: Measurable): Promise<string[]> {
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
  const [reads, bareReads] = await sideBySide(
    ROUNDS,
    MS,
    (i) => driver.load(idOf(i)),
    (i) => bare.load(i % ROWS),
  );
  const [writes, bareWrites] = await sideBySide(
    ROUNDS,
    MS,
    (i) => driver.commit(idOf(i), change(i), now),
    (i) => bare.commit(i % ROWS, `${i}`.padStart(20, "0")),
  );
  const count = (perSecond: number): string => Math.round(perSecond).toLocaleString("en");
  const share = (ours: number, theirs: number): string => (ours / theirs).toFixed(2);
  return [
    ...[name, version, trips[0] === undefined ? "none" : trips.join(", ")],
    ...[count(reads), share(reads, bareReads), count(writes), share(writes, bareWrites)],
  ];
}

const rows: string[][] = [];
const missing: string[] = [];
for (const [i, backend] of backends.entries()) {
  process.stderr.write(`${i + 1} of ${backends.length}: ${backend.name} ...\n`);
  const opened = await openBackend(backend);
  if (typeof opened === "string") {
    missing.push(opened);
    continue;
  }
  try {
    rows.push(await measure(backend.name, opened));
  } finally {
    await opened.close();
  }
}

const table = new Table({ head: HEAD, style: { head: [] } });
table.push(...rows);
console.log(String(table));
for (const sentence of missing) console.error(`Not measured: ${sentence}`);
if (!quick && missing.length === 0) {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const markdown = [line(HEAD), line(HEAD.map(() => "---")), ...rows.map(line)].join("\n");
  await writeFile(guide, (await readFile(guide, "utf8")).replace(MARKS, `$1${markdown}$2`));
  console.log("Written into docs/choosing-a-backend.md");
}
