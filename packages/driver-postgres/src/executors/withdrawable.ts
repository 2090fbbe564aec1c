import type { PostgresTimeLimit } from "../executor.ts";

/**
 * A copy of the values that turns into nulls when the time is over. A client that keeps statements in a queue reads the
 * values when it sends one: with nulls, none of the driver's statements changes anything.
 */
export function withdrawable(
  values: readonly (string | null)[],
  limit: PostgresTimeLimit,
): (string | null)[] {
  const copy = [...values];
  limit.onOver(() => void copy.fill(null));
  return copy;
}
