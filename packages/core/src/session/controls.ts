import { hasMethods } from "../base/options.ts";
import type { ResponseStage } from "./response.ts";
import type { Session } from "./session.ts";

/** What an adapter does with a session beside its own interface. */
export interface SessionControls {
  whenPending(onPending: () => ResponseStage): void;
  dropLogin(): boolean;
  wasRead(): boolean;
}

/** Registered, so that two copies of this package know each other's sessions, through a Proxy too. */
export const CONTROLS: unique symbol = Symbol.for("@sessions/core/controls");

/** `undefined` for an object that only looks like a session, and for one of a version without controls. */
function controlsOf(session: Session): SessionControls | undefined {
  const controls: unknown = Reflect.get(session, CONTROLS);
  return hasMethods(controls, "whenPending", "dropLogin", "wasRead")
    ? (controls as SessionControls)
    : undefined;
}

/**
 * Tells an adapter when a response must wait for a commit: calls `onPending` once, before the session first holds
 * anything that a commit may write or send, and at once where the session does so already. Until then it needs no commit.
 *
 * @param onPending Returns where the response stands. From `"sent"` on the session is as after a commit with
 * `seal: true`; from `"over"` on a write that cannot be kept is dropped with a warning.
 * @returns `false` for a session that cannot tell: its response must wait in any case.
 */
export function whenPending(session: Session, onPending: () => ResponseStage): boolean {
  const controls = controlsOf(session);
  controls?.whenPending(onPending);
  return controls !== undefined;
}

/**
 * For an answer that reports an error: takes back what was staged from the first `login()` or `rotate()` on that no
 * commit has begun to write, and keeps what was staged before.
 *
 * @returns Whether there was such a call.
 */
export const dropLogin = (session: Session): boolean => controlsOf(session)?.dropLogin() ?? false;

/** Whether the program looked at the session, so that its answer may depend on the cookie; `true` where nothing can tell. */
export const wasRead = (session: Session): boolean => controlsOf(session)?.wasRead() ?? true;
