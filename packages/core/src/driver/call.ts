import { DriverUnavailableError, isSessionError, type SessionError } from "../base/errors.ts";

/** Rules for the calls of a driver to its backend. */
export interface CallRules {
  /** The driver's name, for messages. */
  readonly driver: string;
  /** How long a call may take, in milliseconds. */
  readonly timeout: number;
  /** Returns the meaning of an error of the client; `undefined` if it only says that the backend cannot be used. */
  translate(error: unknown): SessionError | undefined;
}

/**
 * Makes one call to the backend. It rejects with `DriverUnavailableError` after the timeout (R11), and with a
 * `SessionError` if the client rejects.
 *
 * `timeout` replaces the driver's timeout for one call, in milliseconds: the time left for the second of two steps (at 0
 * or less, the work does not begin), or `Infinity` for work such as making an index. `onLate` runs after the timeout,
 * before the call rejects. There, a driver ends the connection, whose answer would come too late. It must not throw.
 */
export type Call = <T>(work: () => Promise<T>, timeout?: number, onLate?: () => void) => Promise<T>;

/** The kind of an error, for messages: its code or name, which hold no secret. The `cause` is the whole error. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[\w.]{1,60}$/.test(code) ? code : error.name;
}

/** The longest wait of a timer, in milliseconds. A longer one would fire at once. */
const MOST_MS = 2 ** 31 - 1;

/**
 * Makes the one function through which a driver calls its backend.
 *
 * @example
 * declare const client: { get(key: string): Promise<string> };
 * const call = createCall({ driver: "mine", timeout: 2_000, translate: () => undefined });
 * const text = await call(() => client.get("sessions"));
 */
export function createCall({ driver, timeout: standard, translate }: CallRules): Call {
  const lateness = () =>
    new DriverUnavailableError(
      `${driver}: no answer within ${standard} ms (is the server there, and the client connected?); a change may or may not have been made`,
    );
  return async (work, timeout = standard, onLate) => {
    // No time is left for this step. Do not begin it, so that it cannot be done too late.
    if (timeout <= 0) throw lateness();
    let timer: NodeJS.Timeout | undefined;
    try {
      // Not Promise.race, which makes several more promises.
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
