import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { createSessionManager } from "@sessions/core";
import { bars } from "../charts.ts";
import { quantile, show } from "../measure/statistics.ts";
import { idOf, openPopulation, type PopulationBackend } from "../population.ts";
import { memory } from "../populations/memory.ts";
import { mysql } from "../populations/mysql.ts";
import { openExpressMysqlSession } from "../populations/peer-mysql.ts";
import { postgres } from "../populations/postgres.ts";
import { sqlite } from "../populations/sqlite.ts";
import type { Figure, Question, RunOptions } from "../question.ts";

const HOUR = 3_600_000;
const LIVE = 10_000;
/** How many commits run at once beside the sweep. */
const AT_ONCE = 8;

/** A table with live sessions. Expired ones can be added and swept. */
export interface Sweepable {
  addExpired(first: number, count: number): Promise<void>;
  /** Writes one key of the live session with that number. */
  commit(i: number): Promise<unknown>;
  /** Removes all expired sessions. */
  sweep(): Promise<unknown>;
  close(): Promise<unknown>;
}

interface Contestant {
  readonly label: string;
  readonly ours: boolean;
  open(): Promise<Sweepable | string>;
}

const mine = (backend: PopulationBackend): Contestant => ({
  label: `sessions (${backend.name})`,
  ours: true,
  async open() {
    const population = await openPopulation(backend);
    if (typeof population === "string") return population;
    const { driver, add, close } = population;
    await add({ first: 0, count: LIVE, expiresAt: Date.now() + 24 * HOUR });
    const sessions = createSessionManager({ driver });
    return {
      addExpired: (first, count) => add({ first, count, expiresAt: Date.now() - HOUR }),
      commit: (i) =>
        driver.commit(idOf(i), { fields: new Map([["site/key", `["${randomUUID()}"]`]]) }, Date.now()),
      sweep: () => sessions.sweep(),
      close,
    };
  },
});

const contestants: readonly Contestant[] = [
  {
    label: "express-mysql-session",
    ours: false,
    open: () => openExpressMysqlSession(LIVE, Date.now() + 24 * HOUR),
  },
  ...[mysql, postgres, sqlite, memory].map(mine),
];

/** Commits to live sessions until some work has ended. Returns the duration of each commit in milliseconds. */
async function commitUntil({ commit }: Sweepable, over: Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  let running = true;
  const ended = over.finally(() => {
    running = false;
  });
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (running) {
        const begun = performance.now();
        // Like a new request, wait for a turn of the event loop, so that the sweep gets its own.
        await new Promise(setImmediate);
        await commit(Math.floor(Math.random() * LIVE));
        took.push(performance.now() - begun);
      }
    }),
  );
  await ended;
  return took;
}

async function run({ quick, progress }: RunOptions) {
  const [count, aloneMs] = quick ? [5_000, 200] : [1_000_000, 5_000];
  const figures: Figure[] = [];
  const notes = [
    `${AT_ONCE} commits to live sessions run all the time. p99 is that of one commit, without a sweep and beside it.`,
    "Redis, MongoDB and DynamoDB remove expired sessions themselves.",
  ];
  for (const contestant of contestants) {
    const { label, ours } = contestant;
    progress(`${label}: ${show(LIVE)} live sessions`);
    const opened = await contestant.open();
    if (typeof opened === "string") {
      notes.push(`Not measured: ${opened}`);
      continue;
    }
    try {
      progress(`${label}: adds ${show(count)} expired ones, and sweeps`);
      await opened.addExpired(LIVE, count);
      const alone = quantile(await commitUntil(opened, setTimeout(aloneMs)), 0.99);
      const begun = performance.now();
      let sweptMs = Number.NaN;
      const sweep = opened.sweep().then(() => {
        sweptMs = performance.now() - begun;
      });
      const beside = quantile(await commitUntil(opened, sweep), 0.99);
      figures.push({
        ...{ label, ours, expired: count, rowsPerSecond: (count * 1000) / sweptMs },
        ...{ p99AloneMs: alone, p99BesideMs: beside, ratio: beside / alone },
      });
    } finally {
      await opened.close();
    }
  }
  return {
    figures,
    tables: [
      {
        title: `Sweeping ${show(count)} expired sessions, beside commits to live ones`,
        head: ["table of", "rows a second", "p99 of a commit alone, ms", "beside the sweep, ms", "ratio"],
        rows: figures.map((figure) => [
          ...[String(figure["label"]), show(Number(figure["rowsPerSecond"]))],
          ...["p99AloneMs", "p99BesideMs", "ratio"].map((name) => show(Number(figure[name]), 2)),
        ]),
      },
    ],
    charts: [
      bars("sweep-rate", figures, {
        title: "Expired rows swept a second",
        label: "label",
        value: "rowsPerSecond",
        valueTitle: "rows a second",
      }),
      bars("sweep-p99", figures, {
        title: "p99 of a commit beside the sweep, of its p99 alone",
        label: "label",
        value: "ratio",
        valueTitle: "ratio",
      }),
    ],
    verdicts: [],
    notes,
  };
}

export const sweeping: Question = { number: 7, title: "Sweeping expired sessions", run };
