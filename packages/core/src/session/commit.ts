import { clearedCookie, formatCookie, withMaxAge } from "../context/cookie.ts";
import { replaceSession } from "./replace.ts";
import type { CommitResult, Status } from "./session.ts";
import type { State } from "./state.ts";
import { foundGone, writeRecord } from "./write.ts";

/** Writes what is staged. Creates a new record if there is none yet, or after a `login()` or `rotate()`. */
export function commit(state: State): Status | Promise<Status> {
  const { expiry } = state;
  const { kind } = state.phase;
  if (kind === "replacing" || (kind === "fresh" && state.hasNew)) {
    if (expiry === undefined || expiry > state.context.settings.clock()) return replaceSession(state);
    // An expiry in the past ends the new session before it begins, and the old session too.
    state.takeBack();
    if (!state.record) return foundGone(state);
  }
  const { phase } = state;
  if (phase.kind === "stored") return writeRecord(state, phase.record);
  if (phase.kind === "fresh") return "unchanged";
  state.fields.discard();
  return "gone";
}

/** The result of a commit, with the cookie that the response must carry. */
export function resultOf(state: State, status: Status, seal: boolean): CommitResult {
  const { settings: all, tokenText } = state.context;
  const { cookie: settings } = all;
  // A session from sessions.get() does not belong to the client of this response.
  const toSend = state.response.takeCookie(status === "gone" || state.opened.by === "id", seal);
  const token = toSend === "token" ? tokenText(state.token) : undefined;
  const cookie =
    token === undefined
      ? toSend && clearedCookie(settings)
      : { ...withMaxAge(settings, state.login.maxAge), value: token };
  return { status, token, setCookie: cookie && formatCookie(cookie), cookie };
}
