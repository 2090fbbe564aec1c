import { checkOption, isWhole } from "./options.ts";

/** A span of time: a number of milliseconds, or a text such as `"30m"`. Units: `ms`, `s`, `m`, `h`, `d`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const CENTURY = 36_525 * 86_400_000;

/**
 * Converts a {@link Duration} into whole milliseconds.
 *
 * @param option The option's name, for the message.
 * @throws SessionConfigError Names the option, unless the duration is between `least` ms and a hundred years.
 * @example
 * const timeout: number = milliseconds("redisDriver: timeout", "2s"); // 2000
 */
export function milliseconds(option: string, value: unknown, least = 1): number {
  const [, count, unit = ""] =
    (typeof value === "string" && /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value)) || [];
  const ms = typeof value === "number" ? value : Math.round(Number(count) * (UNITS[unit] ?? 0));
  checkOption(
    isWhole(ms, least) && ms <= CENTURY,
    option,
    `a duration such as "30m", ${least} ms or more`,
    value,
  );
  return ms;
}
