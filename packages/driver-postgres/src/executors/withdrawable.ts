import type { PostgresTimeLimit } from "../executor.ts";

/**
 * A copy of the values that turns into nulls when the time is over. A client that keeps statements in a queue reads the
 * values when it sends one: with nulls, none of the driver's statements changes anything.
 *
 * @param reason Returns an error that says why the time was over, if there is more to say.
 */
export function withdrawable(
  values: readonly (string | null)[],
  limit: PostgresTimeLimit,
  reason: () => Error | undefined = () => undefined,
): (string | null)[] {
  const copy = [...values];
  limit.onOver(() => {
    copy.fill(null);
    return reason();
  });
  return copy;
}
