import { bars } from "../charts.ts";
import { runProgram } from "../measure/program.ts";
import { inTurns } from "../measure/rounds.ts";
import { show, showSpread, spread } from "../measure/statistics.ts";
import type { Figure, Question, RunOptions } from "../question.ts";

const PAUSE_TARGET_MS = 5;
const contestants = [
  { who: "express-session", label: "express-session + MemoryStore", ours: false },
  { who: "ours", label: "sessions (memory)", ours: true },
] as const;

async function run({ quick, progress }: RunOptions) {
  const count = quick ? 20_000 : 1_000_000;
  const rounds = quick ? 1 : 2;
  const samples = await inTurns(contestants, rounds, ({ who, label }, round) => {
    progress(
      `${label}: ${show(count)} sessions${round === 0 ? " (to warm up)" : `, round ${round} of ${rounds}`}`,
    );
    return runProgram("heap", [who, String(count)]);
  });
  const spreadOf = (contestant: (typeof contestants)[number], name: string, per = 1) =>
    spread((samples.get(contestant) ?? []).map((sample) => Number(sample[name]) / per));
  const [peer, mine] = contestants.map((contestant) => spreadOf(contestant, "grown", count));
  const pause = spreadOf(contestants[1], "longestPause");
  const sweepMs = spreadOf(contestants[1], "sweepMs");
  const figures: Figure[] = contestants.map(({ label, ours }, i) => {
    const bytes = [peer, mine][i];
    return { label, ours, sessions: count, bytes: bytes?.median, lower: bytes?.lower, upper: bytes?.upper };
  });
  const ratio = (mine?.median ?? Number.NaN) / (peer?.median ?? Number.NaN);
  return {
    figures: [
      ...figures,
      { label: "sweep", ours: true, sessions: count, longestPauseMs: pause.median, sweepMs: sweepMs.median },
    ],
    tables: [
      {
        title: `Heap for one of ${show(count)} live sessions of 200 bytes`,
        head: ["store", "bytes", "of express-session's"],
        rows: [
          [contestants[0].label, peer ? showSpread(peer, 0) : "", "1"],
          [contestants[1].label, mine ? showSpread(mine, 0) : "", show(ratio, 2)],
        ],
      },
      {
        title: `Sweeping ${show(count)} expired sessions from memory`,
        head: ["store", "longest pause of the event loop, ms", "all of it, ms"],
        rows: [[contestants[1].label, showSpread(pause, 2), showSpread(sweepMs, 0)]],
      },
    ],
    charts: [
      bars("heap", figures, {
        title: "Heap for a live session of 200 bytes",
        label: "label",
        value: "bytes",
        valueTitle: "bytes",
      }),
    ],
    verdicts: [
      {
        what: `memory: longest pause of the event loop while ${show(count)} expired sessions are swept`,
        target: `under ${PAUSE_TARGET_MS} ms`,
        reached: `${show(pause.median, 2)} ms`,
        ok: pause.median < PAUSE_TARGET_MS,
      },
    ],
    notes: [
      "express-session's MemoryStore removes an expired session only when it is read: it has no sweep.",
      "The pause includes everything in the process, also garbage collection.",
    ],
  };
}

export const memory: Question = { number: 6, title: "Memory", run };
