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

/** One call among overlapping ones. Beginnings and ends are numbered in the order in which they were seen. */
export interface Entry {
  /** Which of the drivers made it. */
  readonly driver: number;
  readonly call: Call;
  readonly begun: number;
  /** Infinity where no answer came: it may have been made, or not. */
  readonly ended: number;
  readonly answer: Answer;
}

/** Overlapping calls about one record, by callers with one clock. */
export interface History {
  readonly now: number;
  /** What was there before. */
  readonly first: Held;
  readonly entries: readonly Entry[];
}

/** Rules that can be left out of the judgement, to find out which one a history breaks. */
export type Pardon = "R1" | "R2" | "R3" | "R4" | "R5" | "R6" | "R7" | "R10";

/** In the order in which they are tried: what one excuses, a later one often would too, but not the other way round. */
const PARDONS: readonly Pardon[] = ["R10", "R2", "R7", "R1", "R3", "R5", "R6", "R4"];

/** A record of which anything may be seen: what is left by a call that must not have been made. */
const UNKNOWN = "unknown";
type State = Held | typeof UNKNOWN;

/** Whether `a` had to be made before `b`; a pardoned load may show what was there before. */
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

/** Every state in which the call may leave the record, given its answer; none where the answer is impossible. */
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

/** What a call may leave besides, where its rule is not held against it. */
function excused(state: Held, call: Call, answer: Answer, now: number, pardon: Pardon | undefined): State[] {
  if (call.method === "create") return pardon === "R1" ? [state, UNKNOWN] : [];
  // What it answers, not what it leaves: where a destroyed record is back, that is R4's affair.
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
 * Whether the calls could have been made one after the other, each at some instant between its beginning and its end,
 * with these answers. The search is Wing and Gong's (Testing and Verifying Concurrent Objects, 1993), which remembers
 * where it has been: exponential at worst, instant for a dozen calls.
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
      // A create that is made in two steps: in between there was nothing.
      if (pardon === "R1" && foundNothing(entry) && besideCreate(entry, entries)) states.push(state);
      if (states.some((then) => search(rest, then))) return true;
    }
    failed.add(key);
    return false;
  };
  return search(entries, first);
}

/** The rule that an impossible history breaks: without that one alone, the history could have happened. */
export function blame(history: History): Pardon | undefined {
  return PARDONS.find((pardon) => isPossible(history, pardon));
}

const changesNothing = ({ call, answer }: Entry): boolean =>
  call.method === "load" || answer === false || answer === "gone" || answer === "conflict";

/**
 * The shortest part of an impossible history that is impossible by itself: up to the first answer that cannot be right,
 * without the calls that changed nothing and are not needed. What is left out could not have made it possible.
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
