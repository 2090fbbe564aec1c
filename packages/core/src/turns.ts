import { sameDigest } from "./token.ts";

/**
 * Periodic rotation: which turns of a token's secret are good, and when the next one is handed out.
 *
 * A new turn goes to one response, which may be lost, and responses of one browser arrive in any order. So the
 * current turn stays good until a new one was presented again at least `grace` after it was first seen: by then
 * every request that was sent with the old one has arrived, since a request and its response take less than `grace`.
 */
export interface Turns {
  readonly current: { readonly digest: string; readonly at: number };
  /** New turns handed out since the current one became so. */
  readonly inVain: number;
  /** Handed out, in that order, and not yet current. */
  readonly pending: readonly Pending[];
}

interface Pending {
  readonly digest: string;
  readonly at: number;
  /** When it first came back. */
  readonly seen: number | undefined;
}

export interface Rotation {
  readonly every: number;
  readonly grace: number;
  readonly onReuse: "destroy" | "report";
}

/** So many responses with a new turn may be lost in a row; then the old turn is taken for a copy that stays behind. */
const MOST_IN_VAIN = 8;

export const firstTurn = (digest: string, at: number): Turns => ({
  current: { digest, at },
  inVain: 0,
  pending: [],
});

export const formatTurns = ({ current, inVain, pending }: Turns): string =>
  [
    `${current.digest}.${current.at}.${inVain}`,
    ...pending.map(({ digest, at, seen }) => `${digest}.${at}.${seen ?? ""}`),
  ].join(" ");

export function parseTurns(text: string | undefined): Turns | undefined {
  const turns = (text ?? "").split(" ").map((turn) => /^([\w-]{43})\.(\d{1,16})\.(\d{0,16})$/.exec(turn));
  const [first, ...rest] = turns.map(
    (match) => match && { digest: `${match[1]}`, at: Number(match[2]), last: `${match[3]}` },
  );
  if (!first || rest.length > 32) return undefined;
  const pending: Pending[] = [];
  for (const turn of rest) {
    if (!turn) return undefined;
    pending.push({
      digest: turn.digest,
      at: turn.at,
      seen: turn.last === "" ? undefined : Number(turn.last),
    });
  }
  return { current: { digest: first.digest, at: first.at }, inVain: Number(first.last), pending };
}

/** Whether a turn is good. One that was good once and is no more was copied, or restored from a backup. */
export function accepts(turns: Turns, digest: string, now: number, rotation: Rotation | undefined): boolean {
  const { current, inVain, pending } = turns;
  const isPending = pending.filter((turn) => sameDigest(turn.digest, digest)).length > 0;
  if (!sameDigest(current.digest, digest)) return isPending;
  if (!rotation || inVain < MOST_IN_VAIN || pending.some(({ seen }) => seen !== undefined)) return true;
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
  let { current, inVain, pending } = turns;
  const index = pending.findIndex((turn) => turn.digest === digest);
  const presented = pending[index];
  if (presented) {
    if (presented.seen === undefined)
      return {
        turns: { current, inVain, pending: pending.with(index, { ...presented, seen: now }) },
        handOut: false,
      };
    if (now < presented.seen + grace) return undefined;
    // Only what was handed out before it ends: a later one may be on its way to the browser still.
    current = presented;
    inVain = 0;
    pending = pending.slice(index + 1);
  } else if (current.digest !== digest) return undefined;

  const last = pending.at(-1);
  const due =
    inVain === 0 || !last ? now >= current.at + every : inVain < MOST_IN_VAIN && now >= last.at + grace;
  const handOut = due && next !== undefined && pending.every(({ seen }) => seen === undefined);
  if (!handOut && !presented) return undefined;
  current = { digest: current.digest, at: current.at };
  if (handOut)
    return {
      turns: {
        current,
        inVain: inVain + 1,
        pending: [...pending, { digest: next, at: now, seen: undefined }],
      },
      handOut,
    };
  return { turns: { current, inVain, pending }, handOut };
}
