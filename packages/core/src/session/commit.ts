import { formatCookie, type SessionCookie } from "../context/cookie.ts";
import { formatToken } from "../token/token.ts";
import { replaceSession } from "./replace.ts";
import type { CommitResult, Status } from "./session.ts";
import type { State } from "./state.ts";
import { foundGone, writeRecord } from "./write.ts";

/** Writes what is staged, by way of a new record where there is none yet or a login or `rotate()` asked for one. */
export function commit(state: State): Status | Promise<Status> {
  const { staged, context } = state;
  const { kind } = state.phase;
  if (kind === "replacing" || (kind === "fresh" && state.hasNew)) {
    if (staged.expiry === undefined || staged.expiry > context.settings.clock()) return replaceSession(state);
    // An expiry in the past ends a session before it begins, and the one that it was to replace.
    state.takeBackReplacement();
    if (!state.record) return foundGone(state);
  }
  const { phase } = state;
  if (phase.kind === "stored") return writeRecord(state, phase.record);
  if (phase.kind === "fresh") return "unchanged";
  staged.fields.discard();
  return "gone";
}

/** What the caller is told, and what the response is to carry. */
export function resultOf(state: State, status: Status, seal: boolean): CommitResult {
  const { cookie: settings, keys } = state.context.settings;
  // A session from get() is not the client's.
  const cookieToSend = state.response.takeCookie(status === "gone" || state.opened.by === "id", seal);
  if (!cookieToSend) return { status, token: undefined, setCookie: undefined, cookie: undefined };
  const token = cookieToSend === "token" ? formatToken(state.token, settings.name, keys) : undefined;
  const cookie: SessionCookie =
    token === undefined ? { ...settings, value: "", maxAge: 0 } : { ...settings, value: token };
  return { status, token, setCookie: formatCookie(cookie), cookie };
}
