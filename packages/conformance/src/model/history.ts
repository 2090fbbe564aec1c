import {
  type Answer,
  type Call,
  expected,
  type Held,
  isLive,
  leavesAsItWas,
  merged,
  same,
} from "./record.ts";

/** One of several overlapping calls. Beginnings and ends are numbered in the order in which the kit saw them. */
export interface Entry {
  /** The number of the driver that made it. */
  readonly driver: number;
  readonly call: Call;
  readonly begun: number;
  /** Infinity if no result came: the call may or may not have been made. */
  readonly ended: number;
  readonly answer: Answer;
}

/** Overlapping calls about one record, by callers with one clock. */
export interface History {
  readonly now: number;
  /** The record before the first call. */
  readonly first: Held;
  readonly entries: readonly Entry[];
}

/** Rules that the judgement can ignore, to find out which one a history breaks. */
export type Pardon = "R1" | "R2" | "R3" | "R4" | "R5" | "R6" | "R7" | "R10";

/** The order in which they are tried, narrow rules first: a later one often excuses what an earlier one does. */
const PARDONS: readonly Pardon[] = ["R10", "R2", "R7", "R1", "R3", "R5", "R6", "R4"];

/** A record in an unknown state, after a call that must not have been made: loads may return anything. */
const UNKNOWN = "unknown";
type State = Held | typeof UNKNOWN;

/** Whether `a` comes before `b` in every order. A pardoned load may return an older state. */
function precedes(a: Entry, b: Entry, pardon: Pardon | undefined): boolean {
  if (a.ended >= b.begun) return false;
  if (b.call.method !== "load") return true;
  return !(pardon === "R2" || (pardon === "R10" && a.driver !== b.driver));
}

function isExplained(got: Held, state: Held, now: number, pardon: Pardon | undefined): boolean {
  if (got === undefined || state === undefined) return got === undefined && !isLive(state, now);
  if (pardon === "R6") return same(got, { ...state, version: got.version });
  if (pardon === "R3") return got.version === state.version;
  return same(got, state);
}

/** Every state in which the call may leave the record, given its result; an empty list if the result is impossible. */
function after(
  state: State,
  { call, answer, ended }: Entry,
  now: number,
  pardon: Pardon | undefined,
): State[] {
  if (state === UNKNOWN) return afterUnknown(call, answer);
  if (call.method === "load")
    return typeof answer !== "object" && answer !== undefined
      ? []
      : isExplained(answer, state, now, pardon)
        ? [state]
        : [];
  const must = expected(state, call, now);
  if (ended === Number.POSITIVE_INFINITY || must.answer === answer)
    return [must.held, ...excused(state, call, answer, now, pardon)];
  return excused(state, call, answer, now, pardon);
}

function afterUnknown(call: Call, answer: Answer): State[] {
  if (call.method === "create" && answer === true) return [{ version: 1, ...call.record }];
  return call.method === "destroy" || answer === "gone" ? [undefined] : [UNKNOWN];
}

/** The further states that a call may leave if its rule is ignored. */
function excused(state: Held, call: Call, answer: Answer, now: number, pardon: Pardon | undefined): State[] {
  if (call.method === "create") return pardon === "R1" ? [state, UNKNOWN] : [];
  // R7 is about the result of destroy. A destroyed record that comes back is R4's.
  if (call.method === "destroy")
    return pardon !== "R7" ? [] : answer === false || !isLive(state, now) ? [state, undefined] : [undefined];
  if (call.method !== "commit") return [];
  if (pardon === "R4") return [state, UNKNOWN];
  if (pardon === "R3") return answer === "gone" && state && leavesAsItWas(state, call.change) ? [state] : [];
  if (!isLive(state, now) || call.change.ifVersion === undefined) return [];
  if (answer === "committed") return pardon === "R5" || pardon === "R6" ? [merged(state, call.change)] : [];
  if (answer !== "conflict") return [];
  if (pardon === "R6") return [state];
  const { expiresAt = state.expiresAt } = call.change;
  return pardon === "R5" ? [state, { ...state, version: state.version + 1 }, { ...state, expiresAt }] : [];
}

const foundNothing = ({ call, answer }: Entry): boolean =>
  call.method !== "create" && (answer === undefined || answer === false || answer === "gone");

const besideCreate = (entry: Entry, entries: readonly Entry[]): boolean =>
  entries.some(
    ({ call, begun, ended }) => call.method === "create" && begun < entry.ended && entry.begun < ended,
  );

const keyOf = (state: State): string =>
  typeof state === "object"
    ? JSON.stringify([state.version, state.expiresAt, state.principal, [...state.fields].sort()])
    : String(state);

/**
 * Whether some order of the calls, each at one instant between its beginning and its end, gives these results. This
 * is the search of Wing and Gong (Testing and Verifying Concurrent Objects, 1993), which remembers the states that it
 * has visited. It is exponential at worst, and instant for a dozen calls.
 */
export function isPossible({ now, first, entries }: History, pardon?: Pardon): boolean {
  const failed = new Set<string>();
  const search = (left: readonly Entry[], state: State): boolean => {
    if (left.every(({ ended }) => ended === Number.POSITIVE_INFINITY)) return true;
    const key = `${left.map((entry) => entries.indexOf(entry))} ${keyOf(state)}`;
    if (failed.has(key)) return false;
    const next = left.filter((entry) => !left.some((other) => precedes(other, entry, pardon)));
    for (const entry of next) {
      const rest = left.filter((other) => other !== entry);
      const states = after(state, entry, now, pardon);
      // A create in two steps (delete, insert): between them there is no record.
      if (pardon === "R1" && foundNothing(entry) && besideCreate(entry, entries)) states.push(state);
      if (states.some((then) => search(rest, then))) return true;
    }
    failed.add(key);
    return false;
  };
  return search(entries, first);
}

/** The rule that an impossible history breaks: if that rule alone is ignored, the history is possible. */
export function blame(history: History): Pardon | undefined {
  return PARDONS.find((pardon) => isPossible(history, pardon));
}

const changesNothing = ({ call, answer }: Entry): boolean =>
  call.method === "load" || answer === false || answer === "gone" || answer === "conflict";

/**
 * The shortest part of an impossible history that is still impossible: it ends at the first result that cannot be
 * right, and leaves out the calls that changed nothing and are not needed.
 */
export function shortened(history: History): History {
  const ends = history.entries.map(({ ended }) => ended).sort((a, b) => a - b);
  let shortest = history;
  for (const end of ends) {
    const begun = history.entries.filter((entry) => entry.begun < end);
    const entries = begun.map((entry) =>
      entry.ended > end ? { ...entry, ended: Number.POSITIVE_INFINITY } : entry,
    );
    shortest = { ...history, entries };
    if (!isPossible(shortest)) break;
  }
  for (const entry of shortest.entries.filter(changesNothing)) {
    const without = { ...shortest, entries: shortest.entries.filter((other) => other !== entry) };
    if (!isPossible(without)) shortest = without;
  }
  return shortest;
}
