import { sameDigest } from "./token.ts";

/** One turn of a token's secret. */
interface Turn {
  readonly digest: string;
  /** When it was handed out. */
  readonly at: number;
  /** Of the current turn: how many new ones were handed out in vain. Of the others: when it first came back, or 0. */
  readonly last: number;
}

/**
 * Periodic rotation: which turns of a token's secret are good, and when the next one is handed out. The current turn
 * stands first, then those that were handed out since, in that order.
 *
 * A new turn goes to one response, which may be lost, and responses of one browser arrive in any order. So the
 * current turn stays good until a new one was presented again at least `grace` after it was first seen: by then
 * every request that was sent with the old one has arrived, since a request and its response take less than `grace`.
 */
export type Turns = readonly [Turn, ...Turn[]];

export interface Rotation {
  readonly every: number;
  readonly grace: number;
  readonly onReuse: "destroy" | "report";
}

/** So many responses with a new turn may be lost in a row; then the old turn is taken for a copy that stays behind. */
const MOST_IN_VAIN = 8;

export const formatTurns = (turns: Turns): string =>
  turns.map(({ digest, at, last }) => `${digest}.${at}.${last}`).join(" ");

export function parseTurns(text = ""): Turns | undefined {
  const turns: Turn[] = [];
  for (const turn of text.split(" ", 32)) {
    const [, digest, at, last] = /^([\w-]{43})\.(\d{1,16})\.(\d{1,16})$/.exec(turn) ?? [];
    if (!digest) return undefined;
    turns.push({ digest, at: Number(at), last: Number(last) });
  }
  const [current, ...pending] = turns;
  return current && [current, ...pending];
}

/** Whether a turn is good. One that was good once and is no more was copied, or restored from a backup. */
export function accepts(turns: Turns, digest: string, now: number, rotation: Rotation | undefined): boolean {
  // Every turn is compared, so that the time tells nothing of which.
  const [isCurrent, ...others] = turns.map((turn) => sameDigest(turn.digest, digest));
  const [current, ...pending] = turns;
  if (!isCurrent || !rotation || current.last < MOST_IN_VAIN || pending.some(({ last }) => last > 0))
    return isCurrent || others.includes(true);
  return now < (pending.at(-1)?.at ?? now) + rotation.grace;
}

/**
 * What a request that presented `digest` at `now` changes: `turns` to store, and `handOut` where its response is to
 * carry `next`. `undefined` where it changes nothing.
 */
export function advance(
  turns: Turns,
  digest: string,
  next: string | undefined,
  now: number,
  { every, grace }: Rotation,
): { turns: Turns; handOut: boolean } | undefined {
  let [current, ...pending] = turns;
  const index = pending.findIndex((turn) => turn.digest === digest);
  const presented = pending[index];
  if (presented?.last === 0)
    return {
      turns: [current, ...pending.with(index, { ...presented, last: Math.max(now, 1) })],
      handOut: false,
    };
  if (presented) {
    if (now < presented.last + grace) return undefined;
    // Only what was handed out before it ends: a later one may be on its way to the browser still.
    current = { ...presented, last: 0 };
    pending = pending.slice(index + 1);
  } else if (current.digest !== digest) return undefined;

  const { at, last } = current;
  const due =
    last === 0 ? now >= at + every : last < MOST_IN_VAIN && now >= (pending.at(-1)?.at ?? at) + grace;
  if (due && next !== undefined && pending.every((turn) => turn.last === 0))
    return {
      turns: [{ ...current, last: last + 1 }, ...pending, { digest: next, at: now, last: 0 }],
      handOut: true,
    };
  return presented && { turns: [current, ...pending], handOut: false };
}
