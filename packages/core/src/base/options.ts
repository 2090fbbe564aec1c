import { SessionConfigError } from "./errors.ts";

/** A short form of a value, for messages. Never pass it a secret. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return Object(value) === value ? typeof value : String(value);
}

/** Returns whether a value has all these methods. Calls getters. */
export const hasMethods = (value: unknown, ...methods: readonly string[]): boolean =>
  methods.every((method) => typeof Reflect.get(Object(value), method) === "function");

/**
 * Checks one option.
 *
 * @param must What the value must be, for the message: `"a function"`.
 * @param value What was given. The message shows it, so never pass a secret.
 * @throws SessionConfigError Names the option, what it must be, and what was given.
 * @example
 * const prefix: unknown = "app:";
 * checkOption(typeof prefix === "string", "redisDriver: prefix", "a string", prefix);
 */
export function checkOption(fits: boolean, option: string, must: string, value: unknown): void {
  if (!fits) throw new SessionConfigError(`${option} must be ${must}; got ${show(value)}`);
}

/** Returns whether `a` becomes `b` with at most this many changed letters (Levenshtein distance). */
function resembles(a: string, b: string, changes: number): boolean {
  if (a === b || changes === 0) return a === b;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  if (a[0] === b[0]) return resembles(restA, restB, changes);
  const left = changes - 1;
  return resembles(restA, restB, left) || resembles(restA, b, left) || resembles(a, restB, left);
}

/** With more changed letters it is another word, not a typing error. */
const MOST_SLIPS = 2;

/** `"Object"`, `"Date"`, … */
export const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** A promise, list, Date or Map has no keys of its own: without this check a forgotten `await` would mean the defaults. */
export const hasOwnKeys = (value: unknown): boolean => ["Object", "Module"].includes(tagOf(value));

/**
 * Checks the keys of an options object. Every package uses it, so that all messages are alike. It refuses a value that
 * is not an object, and each unknown key; the message suggests the known key that is closest.
 *
 * @param where The function that was called. It begins the message: `"redisDriver"`.
 * @param known Every option; for nested options, only those of `within`.
 * @param within The path of nested options: `"cookie."`.
 * @throws SessionConfigError
 * @example
 * interface Options {
 *   prefix?: string;
 * }
 * export function exampleDriver(options: Options): void {
 *   checkOptions("exampleDriver", options, ["prefix"]);
 * }
 */
export function checkOptions<T extends object>(
  where: string,
  options: T,
  known: readonly (keyof T & string)[],
  within = "",
): void {
  // Show only the type: a URL that was passed by mistake may hold a password.
  if (!hasOwnKeys(options))
    throw new SessionConfigError(
      `${where}: ${within.slice(0, -1) || "options"} must be an object; got ${tagOf(options).toLowerCase()}`,
    );
  for (const key of Object.keys(options)) {
    if (known.some((name) => name === key)) continue;
    const meant = known.find((name) => resembles(key.toLowerCase(), name.toLowerCase(), MOST_SLIPS));
    throw new SessionConfigError(
      `${where}: unknown option ${show(within + key)}. ${meant === undefined ? `Known: ${known.map((name) => within + name).join(", ")}` : `Did you mean ${show(within + meant)}?`}`,
    );
  }
}

/**
 * Returns whether a value is a whole number of at least `least`.
 *
 * @example
 * isWhole(3, 1); // true
 */
export const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && Number(value) >= least;

/** @throws SessionConfigError Names the option, unless the value is one of those allowed. */
export const checkAmong = (option: string, value: unknown, ...allowed: readonly unknown[]): void =>
  checkOption(allowed.includes(value), option, `one of ${allowed.join(", ")}`, value);

/** @throws SessionConfigError Names the option, unless the value is a whole number of 1 or more. */
export const checkCount = (option: string, value: unknown): void =>
  checkOption(isWhole(value, 1), option, "a whole number of 1 or more", value);

/** The epoch milliseconds of a date, at least 0. @throws TypeError if the date is invalid. */
export function epochOf(date: Date): number {
  const ms = hasMethods(date, "getTime") ? date.getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw new TypeError("The date must be valid");
  return Math.max(ms, 0);
}
