/**
 * What every driver of a remote backend needs, and no policy: options that are checked in one voice, and calls that end.
 * For whoever writes a driver; applications need nothing of it.
 */
import { DriverUnavailableError, isSessionError, type SessionError } from "./errors.ts";

export { checkOption, checkOptions, isWhole } from "./check.ts";
export { type ClientName, checkClient } from "./clients.ts";
export { mergeChange, mergeFields, raisesVersion } from "./driver/change.ts";
export { pageById } from "./driver/page.ts";
export { type RetryRules, retry } from "./driver/retry.ts";
export { serialize } from "./driver/serialize.ts";
export {
  type FoundColumn,
  type FoundIndex,
  type FoundTable,
  inspectTable,
  missingPermissions,
  refuseForeign,
  refuseIncomplete,
  type TableInspection,
  type WantedIndex,
  type WantedTable,
} from "./driver/sql/inspect.ts";
export { readTable, type SqlTable, type SqlTableRules } from "./driver/sql/table.ts";
export { closing, openByUrl, readUrl, type UrlRules } from "./driver/url.ts";
export { milliseconds } from "./duration.ts";
export { selfProvisioning } from "./self-provisioning.ts";
export { shownError } from "./shown-error.ts";

/** How a driver's calls to its backend go. */
export interface CallRules {
  /** The driver's name, for messages. */
  readonly driver: string;
  /** How long a call may take, in milliseconds. */
  readonly timeout: number;
  /** What an error of the client means; `undefined` where it is one more way not to reach the backend. */
  translate(error: unknown): SessionError | undefined;
}

/**
 * Makes a call to the backend, and ends: rejects with `DriverUnavailableError` where no answer came in time (R11), and
 * with a `SessionError` where the client rejects. `timeout` may differ for one call: what is left for the
 * second of two steps (nothing is begun where that is 0 or less), or `Infinity` for work, such as making an index, that
 * takes as long as it takes. `onLate` is called before it rejects for want of an answer: there a driver ends the connection
 * whose answer would come too late. It must not throw.
 */
export type Call = <T>(work: () => Promise<T>, timeout?: number, onLate?: () => void) => Promise<T>;

/** For messages: what kind of error it is, as far as that can hold no secret. The whole error is the `cause`. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[\w.]{1,60}$/.test(code) ? code : error.name;
}

/** What a timer can wait for; one that is to wait longer fires at once. */
const MOST_MS = 2 ** 31 - 1;

/** Makes the one function through which a driver calls its backend. */
export function createCall({ driver, timeout: standard, translate }: CallRules): Call {
  const lateness = () =>
    new DriverUnavailableError(
      `${driver}: no answer within ${standard} ms (is the server there, and the client connected?); a change may or may not have been made`,
    );
  return async (work, timeout = standard, onLate) => {
    // The rest of a time that is used up: what is not begun cannot be done too late.
    if (timeout <= 0) throw lateness();
    let timer: NodeJS.Timeout | undefined;
    try {
      // Not Promise.race, which costs several promises more.
      return await new Promise((resolve, reject) => {
        if (timeout !== Number.POSITIVE_INFINITY)
          timer = setTimeout(
            () => {
              onLate?.();
              reject(lateness());
            },
            Math.min(timeout, MOST_MS),
          );
        work().then(resolve, reject);
      });
    } catch (error) {
      if (isSessionError(error)) throw error;
      throw (
        translate(error) ??
        new DriverUnavailableError(
          `${driver}: the backend cannot be reached, or refuses (${kindOf(error)}); a change may or may not have been made`,
          { cause: error },
        )
      );
    } finally {
      clearTimeout(timer);
    }
  };
}
