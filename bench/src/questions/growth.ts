import { performance } from "node:perf_hooks";
import { lines } from "../charts.ts";
import { inTurns } from "../measure/rounds.ts";
import { quantile, show, showSpread, spread } from "../measure/statistics.ts";
import { idOf, openPopulation, PER_PRINCIPAL, type Population, principalOf } from "../population.ts";
import { memory } from "../populations/memory.ts";
import { mysql, mysqlInMemory } from "../populations/mysql.ts";
import { postgres } from "../populations/postgres.ts";
import { redis } from "../populations/redis.ts";
import { sqlite, sqliteInMemory } from "../populations/sqlite.ts";
import type { Figure, Question, RunOptions, Verdict } from "../question.ts";

const backends = [memory, sqlite, sqliteInMemory, redis, postgres, mysql, mysqlInMemory];
const CALLS = ["load", "commit", "list page", "destroyAll", "sweep batch"] as const;
type Call = (typeof CALLS)[number];

const HOUR = 3_600_000;
/** The largest ratio to the cost at the smallest population that still counts as flat. */
const TARGET = 1.5;
const SWEPT = 100;

interface Grown {
  readonly size: number;
  readonly population: Population;
  /** The next principal to log out. Each is logged out once. */
  next: number;
}

/** Returns the median of the microseconds of calls, one after another. */
async function time(times: number, call: (i: number) => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await call(i);
    took.push((performance.now() - begun) * 1000);
  }
  return quantile(took, 0.5);
}

/** Measures every call on one population. */
async function measure(grown: Grown, effort: number): Promise<Record<Call, number>> {
  const { size, population } = grown;
  const { driver, sessions } = population;
  const now = Date.now();
  // The last principals are the ones to log out.
  const some = (): string => idOf(Math.floor(Math.random() * size * 0.9));
  const change = (i: number) => ({ fields: new Map([["site/key", JSON.stringify([`value ${i}`])]]) });
  return {
    load: await time(100 * effort, () => driver.load(some())),
    commit: await time(50 * effort, (i) => driver.commit(some(), change(i), now)),
    "list page": await time(2 * effort, () => driver.list({ limit: 100 }, now)),
    destroyAll: await time(effort, () => {
      grown.next -= PER_PRINCIPAL;
      return sessions.destroyAll({ principal: principalOf(grown.next) });
    }),
    "sweep batch": await time(1, () => driver.sweep({ after: 0, before: now - HOUR, limit: SWEPT })),
  };
}

async function run({ quick, progress }: RunOptions) {
  const sizes = quick ? [1_000, 10_000] : [10_000, 100_000, 1_000_000];
  const [rounds, effort] = quick ? [1, 1] : [9, 5];
  const figures: Figure[] = [];
  const verdicts: Verdict[] = [];
  const notes = [
    `Medians of calls, one after another, in turns on populations that exist side by side. A principal has ${PER_PRINCIPAL} sessions, a page is 100, a batch ${SWEPT}.`,
    "Redis removes expired sessions itself, so it has nothing to sweep. MongoDB and DynamoDB are emulators here, and their times say nothing.",
  ];
  for (const backend of backends) {
    const grown: Grown[] = [];
    try {
      for (const size of sizes) {
        progress(`${backend.name}: ${show(size)} sessions`);
        const population = await openPopulation(backend);
        if (typeof population === "string") {
          notes.push(`Not measured: ${population}`);
          break;
        }
        grown.push({ size, population, next: size });
        const now = Date.now();
        await population.add({ first: 0, count: size, expiresAt: now + 24 * HOUR });
        // Records to sweep, one batch for each round.
        await population.add({ first: size, count: SWEPT * (rounds + 1), expiresAt: now - 2 * HOUR });
      }
      if (grown.length < sizes.length) continue;
      progress(`${backend.name}: ${CALLS.join(", ")}, in turns`);
      const samples = await inTurns(grown, rounds, (one) => measure(one, effort));
      const mine = CALLS.flatMap((call) => {
        if (call === "sweep batch" && backend.name === "redis") return [];
        const first = samples.values().next().value ?? [];
        return grown.map((one): Figure => {
          const all = samples.get(one) ?? [];
          const took = spread(all.map((sample) => sample[call]));
          const ratio = spread(
            all.map((sample, round) => sample[call] / (first[round]?.[call] ?? Number.NaN)),
          );
          return {
            ...{ backend: backend.name, ours: true, call, sessions: one.size, micros: took.median },
            ...{ lower: took.lower, upper: took.upper, ratio: ratio.median },
            ...{ ratioLower: ratio.lower, ratioUpper: ratio.upper },
          };
        });
      });
      figures.push(...mine);
      const worst = mine
        .filter(({ sessions }) => sessions === sizes.at(-1))
        .sort((a, b) => Number(b["ratio"]) - Number(a["ratio"]))[0];
      const ratio = Number(worst?.["ratio"]);
      verdicts.push({
        what: `${backend.name}: the call that grew most (${worst?.["call"]}), at ${show(sizes.at(-1) ?? 0)} sessions, of its time at ${show(sizes[0] ?? 0)}`,
        target: `at most ${TARGET}`,
        reached: show(ratio, 2),
        ok: ratio <= TARGET,
      });
    } finally {
      for (const { population } of grown) await population.close();
    }
  }
  return {
    figures,
    tables: [
      {
        title: "Microseconds of a call, and of its time at the smallest population",
        head: ["backend", "call", ...sizes.flatMap((size) => [`${show(size)}, µs`, "of the first"])],
        rows: figures
          .filter(({ sessions }) => sessions === sizes[0])
          .map(({ backend, call }) => [
            ...[String(backend), String(call)],
            ...figures
              .filter((one) => one["backend"] === backend && one["call"] === call)
              .flatMap((one) => [
                show(Number(one["micros"])),
                showSpread(
                  {
                    median: Number(one["ratio"]),
                    lower: Number(one["ratioLower"]),
                    upper: Number(one["ratioUpper"]),
                  },
                  2,
                ),
              ]),
          ]),
      },
    ],
    charts: [
      lines("growth", figures, {
        title: "Time of a call, of its time at the smallest population",
        ...{
          x: "sessions",
          xTitle: "sessions",
          y: "ratio",
          yTitle: "ratio",
          series: "call",
          facet: "backend",
        },
      }),
    ],
    verdicts,
    notes,
  };
}

export const growth: Question = { number: 9, title: "A growing population", run };
