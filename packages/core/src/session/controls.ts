import { hasMethods } from "../base/options.ts";
import type { ResponseStage } from "./response.ts";

/** What adapters need of a session beside its public interface. */
export interface SessionControls {
  whenPending(onPending: () => ResponseStage): void;
  dropLogin(): boolean;
  wasRead(): boolean;
}

/** A session, or what stands for one and only needs commits. */
interface Committable {
  commit(): Promise<unknown>;
}

/** Symbol.for, so that two copies of this package recognise each other's sessions, even through a Proxy. */
export const CONTROLS: unique symbol = Symbol.for("@sessions/core/controls");

/**
 * Returns `undefined` for an object that only looks like a session, and for a session of a version without controls.
 */
function controlsOf(session: Committable): SessionControls | undefined {
  const controls: unknown = Reflect.get(session, CONTROLS);
  return hasMethods(controls, "whenPending", "dropLogin", "wasRead")
    ? (controls as SessionControls)
    : undefined;
}

/**
 * Tells an adapter when a response must wait for a commit. Calls `onPending` once, before the session first has
 * anything that a commit may write or send, or at once if it already has. Until then the session needs no commit.
 *
 * @param onPending Returns the stage of the response. With `"sent"` the session is as after a commit with `seal: true`.
 * With `"over"` a write that cannot be kept is also dropped with a warning.
 * @returns `false` if the session cannot tell. Its response must then wait in any case.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { whenPending } from "@sessions/core/adapter-tools";
 *
 * let mustWait = false;
 * const session = createSessionManager().create();
 * const tells = whenPending(session, () => {
 *   mustWait = true;
 *   return "held";
 * });
 * mustWait ||= !tells;
 */
export function whenPending(session: Committable, onPending: () => ResponseStage): boolean {
  const controls = controlsOf(session);
  controls?.whenPending(onPending);
  return controls !== undefined;
}

/**
 * Takes back a login, for a response that reports an error. Drops everything that was staged from the first `login()`
 * or `rotate()` on, if no commit has begun to write it, and keeps what was staged before.
 *
 * @returns Whether there was such a `login()` or `rotate()`.
 * @example
 * import type { Session } from "@sessions/core";
 * import { dropLogin, reportsError, warnOfDroppedLogin } from "@sessions/core/adapter-tools";
 *
 * export function beforeCommit(session: Session, status: number): void {
 *   if (reportsError(status) && dropLogin(session)) warnOfDroppedLogin(status);
 * }
 */
export const dropLogin = (session: Committable): boolean => controlsOf(session)?.dropLogin() ?? false;

/**
 * Returns whether the program looked at the session, so that its response may depend on the cookie; `true` if unknown.
 */
export const wasRead = (session: Committable): boolean => controlsOf(session)?.wasRead() ?? true;
