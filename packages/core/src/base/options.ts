import { SessionConfigError } from "./errors.ts";

/** For messages: what was given, unless that could be long. Never for a secret. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return Object(value) === value ? typeof value : String(value);
}

/** @throws SessionConfigError naming the option, what it must be, and what was given. */
export function checkOption(fits: boolean, option: string, must: string, value: unknown): void {
  if (!fits) throw new SessionConfigError(`${option} must be ${must}; got ${show(value)}`);
}

/** How many letters must change to make one word of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}

/** More letters than that are no slip of the fingers. */
const MOST_SLIPS = 2;

/**
 * The one check of an options object's keys, for every package: refuses what is no object, and each key that is not
 * known, with the known one that it resembles.
 *
 * @param where Begins the message: the function that was called, `"redisDriver"`.
 * @param known Every option, the nested ones of `within` alone.
 * @param within For nested options: `"cookie."`
 * @throws SessionConfigError
 */
export function checkOptions<T extends object>(
  where: string,
  options: T,
  known: readonly (keyof T & string)[],
  within = "",
): void {
  // Only the type of what was given by mistake: a URL has a password in it.
  if (Object(options) !== options || typeof options === "function")
    throw new SessionConfigError(
      `${where}: ${within.slice(0, -1) || "options"} must be an object; got ${options === null ? null : typeof options}`,
    );
  for (const key of Object.keys(options)) {
    if (known.some((name) => name === key)) continue;
    const meant = known.find(
      (name) => distance(key.slice(0, 40).toLowerCase(), name.toLowerCase()) <= MOST_SLIPS,
    );
    throw new SessionConfigError(
      `${where}: unknown option ${show(within + key)}. ${meant === undefined ? `Known: ${known.map((name) => within + name).join(", ")}` : `Did you mean ${show(within + meant)}?`}`,
    );
  }
}

/** Whether it is a whole number of at least `least`. */
export const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && Number(value) >= least;

/** Epoch milliseconds, from 1970 on. @throws TypeError for an invalid date. */
export function epochOf(date: Date): number {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw new TypeError("A valid date is needed");
  return Math.max(ms, 0);
}
