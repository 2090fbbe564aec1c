import { performance } from "node:perf_hooks";
import { inTurns } from "./rounds.ts";
import { type Spread, spread } from "./statistics.ts";

/** How many calls run at once, as in a busy process. */
const AT_ONCE = 32;

type Call = (i: number) => Promise<unknown>;

/** Returns calls a second, over about `milliseconds`. */
async function rate(ms: number, call: Call): Promise<number> {
  const begun = performance.now();
  let calls = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (performance.now() - begun < ms) await call(calls++);
    }),
  );
  return (calls * 1000) / (performance.now() - begun);
}

/** The rates of two ways to do the same work, measured in turns. */
export interface SideBySide {
  /** Calls a second. */
  readonly one: Spread;
  readonly other: Spread;
  /** The first rate divided by the second in the same round. */
  readonly ratio: Spread;
}

/** Compares two ways to do the same work, over several rounds of some milliseconds each. */
export async function sideBySide(rounds: number, ms: number, one: Call, other: Call): Promise<SideBySide> {
  const samples = await inTurns([one, other], rounds, (call) => rate(ms, call));
  const [ones = [], others = []] = [samples.get(one), samples.get(other)];
  return {
    one: spread(ones),
    other: spread(others),
    ratio: spread(ones.map((own, round) => own / (others[round] ?? Number.NaN))),
  };
}
