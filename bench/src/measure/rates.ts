import { performance } from "node:perf_hooks";
import { inTurns } from "./rounds.ts";
import { type Spread, spread } from "./statistics.ts";

/** Calls that are under way at once: a busy process, not a race of one. */
const AT_ONCE = 32;

type Call = (i: number) => Promise<unknown>;

/** Calls a second, over about so many milliseconds. */
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

/** Two ways to do the same, in turns. */
export interface SideBySide {
  /** Calls a second. */
  readonly one: Spread;
  readonly other: Spread;
  /** The one's rate, of the other's in the same round. */
  readonly ratio: Spread;
}

/** Compares two ways to do the same, over so many rounds of so many milliseconds each. */
export async function sideBySide(rounds: number, ms: number, one: Call, other: Call): Promise<SideBySide> {
  const samples = await inTurns([one, other], rounds, (call) => rate(ms, call));
  const [ones = [], others = []] = [samples.get(one), samples.get(other)];
  return {
    one: spread(ones),
    other: spread(others),
    ratio: spread(ones.map((own, round) => own / (others[round] ?? Number.NaN))),
  };
}
