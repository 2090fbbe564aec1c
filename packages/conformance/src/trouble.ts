import { isSessionError } from "@sessions/core";
import { LateError } from "./within.ts";

/** Why a backend, and not the driver's rules, may have made a call reject. */
export type Trouble = "crowded" | "late" | "away";

const CROWDED =
  /too many|connection slots|max(imum)? (number of )?(clients|connections)|throttl|throughput|pool.*(exhausted|full|limit)|\b(EMFILE|53300|ER_CON_COUNT_ERROR)\b/i;
const LATE = /no answer within|timed? ?out|\bETIMEDOUT\b/i;
const AWAY = /\b(ECONNREFUSED|ECONNRESET|ECONNABORTED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE)\b/;
/** A chain of causes may be a ring. */
const MOST_CAUSES = 8;

/** The error with the errors that it names as its causes. */
function chain(error: unknown, left = MOST_CAUSES): unknown[] {
  if (left === 0 || typeof error !== "object" || error === null) return [];
  const errors = "errors" in error && Array.isArray(error.errors) ? error.errors.slice(0, 4) : [];
  const cause = "cause" in error ? [error.cause] : [];
  return [error, ...[...cause, ...errors].flatMap((each) => chain(each, left - 1))];
}

/** Whether an error tells of the backend, so that it says nothing about the clause in which it came up. */
export function troubleOf(error: unknown): Trouble | undefined {
  const errors = chain(error);
  // A wrong driver may throw anything; these two kinds of errors are about the backend by what they are.
  const told = errors.some(
    (each) => isSessionError(each, "ERR_SESSION_UNAVAILABLE") || each instanceof LateError,
  );
  const text = errors
    .map((each) => (each instanceof Error ? `${Object(each).code ?? ""} ${each.name} ${each.message}` : ""))
    .join("\n");
  if (!told && !AWAY.test(text)) return undefined;
  if (CROWDED.test(text)) return "crowded";
  return LATE.test(text) || errors.some((each) => each instanceof LateError) ? "late" : "away";
}
