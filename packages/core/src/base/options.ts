import { SessionConfigError } from "./errors.ts";

/** For messages: what was given, unless that could be long. Never for a secret. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return Object(value) === value ? typeof value : String(value);
}

/** Whether it has all these methods; a getter is called. */
export const hasMethods = (value: unknown, ...methods: readonly string[]): boolean =>
  methods.every((method) => typeof Reflect.get(Object(value), method) === "function");

/** @throws SessionConfigError naming the option, what it must be, and what was given. */
export function checkOption(fits: boolean, option: string, must: string, value: unknown): void {
  if (!fits) throw new SessionConfigError(`${option} must be ${must}; got ${show(value)}`);
}

/** Whether at most so many letters must change to make one word of the other (Levenshtein). */
function resembles(a: string, b: string, changes: number): boolean {
  if (a === b || changes === 0) return a === b;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  if (a[0] === b[0]) return resembles(restA, restB, changes);
  return [[restA, restB] as const, [restA, b] as const, [a, restB] as const].some(([x, y]) =>
    resembles(x, y, changes - 1),
  );
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
  // Only the type of what was given by mistake: a URL has a password in it. A promise, a list, a Date or a Map has no keys
  // of its own: a forgotten `await` would mean the defaults.
  const type = Object.prototype.toString.call(options).slice(8, -1);
  if (type !== "Object" && type !== "Module")
    throw new SessionConfigError(
      `${where}: ${within.slice(0, -1) || "options"} must be an object; got ${type.toLowerCase()}`,
    );
  for (const key of Object.keys(options)) {
    if (known.some((name) => name === key)) continue;
    const meant = known.find((name) => resembles(key.toLowerCase(), name.toLowerCase(), MOST_SLIPS));
    throw new SessionConfigError(
      `${where}: unknown option ${show(within + key)}. ${meant === undefined ? `Known: ${known.map((name) => within + name).join(", ")}` : `Did you mean ${show(within + meant)}?`}`,
    );
  }
}

/** Whether it is a whole number of at least `least`. */
export const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && Number(value) >= least;

/** @throws SessionConfigError naming the option, unless the value is one of those allowed. */
export const checkAmong = (option: string, value: unknown, ...allowed: readonly unknown[]): void =>
  checkOption(allowed.includes(value), option, `one of ${allowed.join(", ")}`, value);

/** @throws SessionConfigError naming the option, unless it is a whole number of 1 or more. */
export const checkCount = (option: string, value: unknown): void =>
  checkOption(isWhole(value, 1), option, "a whole number of 1 or more", value);

/** Epoch milliseconds, from 1970 on. @throws TypeError for an invalid date. */
export function epochOf(date: Date): number {
  const ms = hasMethods(date, "getTime") ? date.getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw new TypeError("A valid date is needed");
  return Math.max(ms, 0);
}
