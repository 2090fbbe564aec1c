import { DriverUnavailableError, isSessionError, type SessionError } from "../base/errors.ts";

/** Options of {@link createCall}. */
export interface CallRules {
  /** The driver's name, for messages. */
  readonly driver: string;
  /** The longest time that a call may take, in milliseconds. */
  readonly timeout: number;
  /** Returns the error that a client's error stands for, or `undefined` if the backend could not be reached. */
  translate(error: unknown): SessionError | undefined;
}

/**
 * Calls the backend and ends in time. Rejects with `DriverUnavailableError` if no reply comes in time (rule R11 of
 * SPEC.md), and with a `SessionError` if the client rejects.
 *
 * - `timeout` replaces the driver's timeout for this call. Pass the rest of the time to the second of two steps; with 0
 *   or less the work does not begin. Pass `Infinity` for work without a limit, such as creating an index.
 * - `onLate` is called before a rejection for lack of time. A driver closes the connection there, so that a late reply
 *   does no harm. It must not throw.
 */
export type Call = <T>(work: () => Promise<T>, timeout?: number, onLate?: () => void) => Promise<T>;

/** The kind of an error, for messages: only what cannot hold a secret. The whole error is the `cause`. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[\w.]{1,60}$/.test(code) ? code : error.name;
}

/** The longest delay of a timer. A timer with a longer delay fires at once. */
const MOST_MS = 2 ** 31 - 1;

/**
 * Creates the function through which a driver makes every call to its backend.
 *
 * @example
 * const call = createCall({ driver: "example", timeout: 2000, translate: () => undefined });
 * const text: string = await call(async () => "the backend's reply");
 */
export function createCall({ driver, timeout: standard, translate }: CallRules): Call {
  const lateness = () =>
    new DriverUnavailableError(
      `${driver}: no answer within ${standard} ms (is the server there, and the client connected?); a change may or may not have been made`,
    );
  return async (work, timeout = standard, onLate) => {
    // The time is used up: work that does not begin cannot finish too late.
    if (timeout <= 0) throw lateness();
    let timer: NodeJS.Timeout | undefined;
    try {
      // Promise.race would create several more promises.
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
