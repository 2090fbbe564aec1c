import { sameDigest } from "./token.ts";

/** The generation of a token's secret that the client is known to use. */
interface Current {
  readonly digest: string;
  /** When it was handed out, in epoch milliseconds. */
  readonly at: number;
  /** How many newer generations were handed out since and never came back. */
  readonly lostCount: number;
}

/** A generation that was handed out after the current one. */
interface Pending {
  readonly digest: string;
  /** When it was handed out, in epoch milliseconds. */
  readonly at: number;
  /** When a request first presented it; 0 if none did. */
  readonly seenAt: number;
}

/**
 * Periodic rotation: which generations of a token's secret are good, and when the next one is handed out. The current
 * generation comes first, then the generations handed out since, in that order.
 *
 * A new generation goes out with one response. That response may be lost, and the responses of one browser arrive in
 * any order. So the current generation stays good until a newer one is presented again, at least `grace` after it was
 * first seen. A request and its response take less than `grace`, so every request with the old one has arrived by then.
 */
export type Generations = readonly [Current, ...Pending[]];

/** The manager's option `rotation`, in milliseconds. */
export interface Rotation {
  readonly every: number;
  readonly grace: number;
  readonly onReuse: "destroy" | "report";
}

/** After this many lost generations in a row, we assume that the client keeps using a copy of an old token. */
const MOST_LOST = 8;

/** The generations of a new session. */
export const firstGeneration = (digest: string, at: number): Generations => [{ digest, at, lostCount: 0 }];

/** One text for the record: `<digest>.<at>.<lostCount or seenAt>` for each, separated by spaces. */
export const formatGenerations = ([current, ...pending]: Generations): string =>
  [
    `${current.digest}.${current.at}.${current.lostCount}`,
    ...pending.map(({ digest, at, seenAt }) => `${digest}.${at}.${seenAt}`),
  ].join(" ");

/** Reads what `formatGenerations` wrote; `undefined` for any other text. */
export function parseGenerations(text = ""): Generations | undefined {
  let current: Current | undefined;
  const pending: Pending[] = [];
  for (const generation of text.split(" ", 32)) {
    const [, digest, at, last] = /^([\w-]{43})\.(\d{1,16})\.(\d{1,16})$/.exec(generation) ?? [];
    if (!digest) return undefined;
    if (current) pending.push({ digest, at: Number(at), seenAt: Number(last) });
    else current = { digest, at: Number(at), lostCount: Number(last) };
  }
  return current && [current, ...pending];
}

/** Returns whether a generation is good. One that is no longer good was copied, or restored from a backup. */
export function accepts(
  generations: Generations,
  digest: string,
  now: number,
  rotation: Rotation | undefined,
): boolean {
  // Compare every generation, so that the time taken does not reveal which one matched.
  const [isCurrent, ...others] = generations.map((generation) => sameDigest(generation.digest, digest));
  const [current, ...pending] = generations;
  if (!isCurrent || !rotation || current.lostCount < MOST_LOST || pending.some(({ seenAt }) => seenAt > 0))
    return isCurrent || others.includes(true);
  return now < (pending.at(-1)?.at ?? now) + rotation.grace;
}

/**
 * Returns the generations to store when a request presents `digest` at `now`. The last one is `next` if it is time to
 * hand it out. Returns `undefined` if nothing changes.
 */
export function advance(
  generations: Generations,
  digest: string,
  next: string | undefined,
  now: number,
  { every, grace }: Rotation,
): Generations | undefined {
  let [current, ...pending] = generations;
  const index = pending.findIndex((generation) => generation.digest === digest);
  const presented = pending[index];
  if (presented?.seenAt === 0) {
    const seen = { ...presented, seenAt: Math.max(now, 1) };
    return [current, ...pending.with(index, seen)];
  }
  if (presented) {
    if (now < presented.seenAt + grace) return undefined;
    // End only generations that were handed out earlier: a later one may still be on its way to the browser.
    current = { digest, at: presented.at, lostCount: 0 };
    pending = pending.slice(index + 1);
  } else if (current.digest !== digest) return undefined;

  const { at, lostCount } = current;
  const isDue =
    lostCount === 0 ? now >= at + every : lostCount < MOST_LOST && now >= (pending.at(-1)?.at ?? at) + grace;
  if (isDue && next !== undefined && pending.every(({ seenAt }) => seenAt === 0))
    return [{ ...current, lostCount: lostCount + 1 }, ...pending, { digest: next, at: now, seenAt: 0 }];
  return presented && [current, ...pending];
}
