import { milliseconds } from "../base/duration.ts";
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
 * - `work` gets a signal that aborts before a rejection for lack of time, so that it can cancel what would go on. Work
 *   without a parameter has none, because a signal costs more than the rest of a call.
 */
export type Call = <T>(
  work: (signal: AbortSignal) => Promise<T>,
  timeout?: number,
  about?: CallDetails,
) => Promise<T>;

/** What a driver says of one call. */
export interface CallDetails {
  /**
   * `true` for a call that changes a record: its error says that the change may or may not have been made.
   * @default false
   */
  readonly changes?: boolean | undefined;
  /**
   * Called before a rejection for lack of time. A driver closes the connection there, so that a late reply does no harm.
   * It must not throw.
   */
  readonly onLate?: (() => void) | undefined;
}

/** For work that declares no parameter. */
const NEVER = new AbortController().signal;
const UNCERTAIN = "; the change may or may not have been made";

/** The kind of an error, for messages: only what cannot hold a secret. The whole error is the `cause`. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[\w.]{1,60}$/.test(code) ? code : error.name;
}

/** 24 days. A timer fires at once if its delay is longer than almost 25, and some clients add to what they are given. */
const MOST_MS = 24 * 86_400_000;

/**
 * Converts a driver's option `timeout` into whole milliseconds, 1 or more. More than 24 days is cut to that: no timer can
 * be much longer, neither the client's, to which a driver may give the result, nor the server's.
 *
 * @throws SessionConfigError For what is no duration.
 * @example
 * const timeout: number = readTimeout("2s"); // 2000
 */
export const readTimeout = (value: unknown): number => Math.min(milliseconds("timeout", value), MOST_MS);

/**
 * Creates the function through which a driver makes every call to its backend.
 *
 * @example
 * const call = createCall({ driver: "example", timeout: 2000, translate: () => undefined });
 * const text: string = await call(async () => "the backend's reply");
 */
export function createCall({ driver, timeout: standard, translate }: CallRules): Call {
  const lateness = (doubt: string) =>
    new DriverUnavailableError(
      `${driver}: no answer within ${standard} ms (is the server there, and the client connected?)${doubt}`,
    );
  return async (work, timeout = standard, { changes, onLate } = {}) => {
    const doubt = changes ? UNCERTAIN : "";
    // The time is used up: work that does not begin cannot finish too late. An earlier step may have changed something.
    if (timeout <= 0) throw lateness(doubt);
    const controller = work.length > 0 ? new AbortController() : undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      // Promise.race would create several more promises.
      return await new Promise((resolve, reject) => {
        if (timeout !== Number.POSITIVE_INFINITY)
          timer = setTimeout(
            () => {
              onLate?.();
              controller?.abort();
              reject(lateness(doubt));
            },
            Math.min(timeout, MOST_MS),
          );
        work(controller?.signal ?? NEVER).then(resolve, reject);
      });
    } catch (error) {
      if (isSessionError(error)) throw error;
      throw (
        translate(error) ??
        new DriverUnavailableError(
          `${driver}: the backend cannot be reached, or refuses (${kindOf(error)})${doubt}`,
          { cause: error },
        )
      );
    } finally {
      clearTimeout(timer);
    }
  };
}
