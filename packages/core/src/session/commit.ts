import { formatCookie, type SessionCookie } from "../context/cookie.ts";
import { formatToken } from "../token/token.ts";
import { beginSession } from "./replace.ts";
import { type State, tokenOf, wantsRecord } from "./state.ts";
import { type CommitResult, foundGone, type Status, writeRecord } from "./write.ts";

/** Writes what is staged, by way of a new record where there is none yet or a login or `rotate()` asked for one. */
export function commit(state: State): Status | Promise<Status> {
  if (state.beginning || (wantsRecord(state) && !state.closed)) {
    if (state.expiry === undefined || state.expiry > state.context.settings.clock())
      return beginSession(state);
    // An expiry in the past ends a session before it begins, and the one that it was to go on from.
    Object.assign(state, state.beginning?.before);
    state.beginning = undefined;
    if (!state.record) return foundGone(state);
  }
  if (!state.closed) return state.record ? writeRecord(state, state.record) : "unchanged";
  state.entries.discard();
  return "gone";
}

/** As if nothing had been staged since the last commit. What an earlier one promised the client stays. */
export function discard(state: State): void {
  if (state.beginning) Object.assign(state, state.beginning.before);
  state.beginning = undefined;
  state.expiry = undefined;
  state.entries.discard();
  state.decoded.clear();
}

/** What the caller is told, and what the response is to carry. */
export function resultOf(state: State, status: Status, seal: boolean): CommitResult {
  const { cookie: settings, keys } = state.context.settings;
  // A session that ended elsewhere may have a successor, whose cookie must not be overwritten.
  const send = status === "gone" || state.access === "id" ? undefined : state.send;
  if (seal || status === "gone") state.send = undefined;
  if (seal) state.headersSent = true;
  if (!send) return { status, token: undefined, setCookie: undefined, cookie: undefined };
  const token = send === "token" ? formatToken(tokenOf(state), settings.name, keys) : undefined;
  const cookie: SessionCookie =
    token === undefined ? { ...settings, value: "", maxAge: 0 } : { ...settings, value: token };
  return { status, token, setCookie: formatCookie(cookie), cookie };
}
