import { SessionConfigError } from "./errors.ts";

/** A span of time: milliseconds, or text such as `"30m"`. Units: `ms`, `s`, `m`, `h`, `d`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const CENTURY = 36_525 * 86_400_000;

/** For messages: what an option was given, unless that could be long or secret. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return typeof value === "object" || typeof value === "function" || typeof value === "symbol"
    ? `${value === null ? "null" : typeof value}`
    : String(value);
}

/**
 * A duration in whole milliseconds.
 * @throws SessionConfigError naming the option, unless it lies between `least` and a hundred years.
 */
export function milliseconds(option: string, value: unknown, least = 1): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(value)) ?? [];
  const ms =
    typeof value === "number" ? value : Math.round(Number(count) * (UNITS[unit ?? ""] ?? Number.NaN));
  if (!Number.isSafeInteger(ms) || ms < least || ms > CENTURY)
    throw new SessionConfigError(
      `${option} must be whole milliseconds or text such as "30m", from ${least} ms to 100 years; got ${show(value)}`,
    );
  return ms;
}
