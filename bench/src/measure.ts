import { performance } from "node:perf_hooks";

/** Calls that are under way at once: a busy process, not a race of one. */
const AT_ONCE = 32;

/** Calls a second, over about so many milliseconds. */
async function rate(ms: number, call: (i: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let calls = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (performance.now() - begun < ms) await call(calls++);
    }),
  );
  return (calls * 1000) / (performance.now() - begun);
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;

/** Two ways to do the same, in turns, so that what else the machine does meets both: medians of the rounds. */
export async function sideBySide(
  rounds: number,
  ms: number,
  one: (i: number) => Promise<unknown>,
  other: (i: number) => Promise<unknown>,
): Promise<[number, number]> {
  const rates: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    rates[0].push(await rate(ms, one));
    rates[1].push(await rate(ms, other));
  }
  return [median(rates[0]), median(rates[1])];
}
