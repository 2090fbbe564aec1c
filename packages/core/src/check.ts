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

/** @throws SessionConfigError for what is left of the options when all that are known were taken out. */
export function refuseUnknown(prefix: string, rest: object): void {
  for (const option of Object.keys(rest)) throw new SessionConfigError(`Unknown option ${prefix}${option}`);
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
