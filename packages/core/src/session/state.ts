import { setTimeout } from "node:timers/promises";
import { SessionError } from "../base/errors.ts";
import type { Emitter } from "../context/events.ts";
import type { Settings } from "../context/settings.ts";
import type { Sizes } from "../context/size.ts";
import { readRecord, type SessionRecord } from "../record/session-record.ts";
import type { StoreRules } from "../store/define-store.ts";
import { createEntries, type Entries, type Snapshot } from "../store/staged-fields.ts";
import type { DecodedValues, Store } from "../store/store.ts";
import type { EntryCodec } from "../store/value-codec.ts";
import { newToken, type Token } from "../token/token.ts";
import type { ResponseStage } from "./controls.ts";

/** What a manager's parts share. */
export interface Context {
  readonly settings: Settings;
  /** By definition, made for the first session that has the store. */
  readonly codecs: WeakMap<StoreRules, EntryCodec>;
  readonly emit: Emitter["emit"];
  readonly sizes: Sizes;
}

/** Why the token that came was not accepted. */
export type Rejection = "malformed" | "signature" | "unknown" | "expired" | "reused";

/** A new session that a login or `rotate()` begins at the next commit. */
interface Beginning {
  readonly reason: "login" | "rotate";
  /** What the new session takes the place of; to go back to where the commit fails. */
  readonly before: Pick<State, "token" | "entries" | "principal" | "createdAt" | "closed">;
  /** What was staged before it: what an answer that reports an error keeps. */
  readonly staged: { readonly entries: Snapshot; readonly expiry: number | undefined };
}

/** One session of one request: what was read, what is staged, what the client is to be told. */
export class State {
  readonly context: Context;
  /** By `"id"` a session is read and written, never touched, rotated or given to a client. */
  readonly access: "token" | "id" = "token";
  readonly touch: boolean = true;
  /** The request came over https. */
  readonly secure: boolean = false;
  /** When the request came: rotation counts from there, not from when its handler is done. */
  readonly openedAt: number;
  /** By name or definition. */
  readonly stores: Map<unknown, Store<Record<string, unknown>>> = new Map();
  readonly decoded: DecodedValues = new Map();
  isNew = true;
  rejected: Rejection | undefined = undefined;
  /** Made when it is first needed. */
  token: Token | undefined = undefined;
  /** The digest of the turn that the client presented. */
  presented: string | undefined = undefined;
  /** As last read or written; `undefined` while nothing is stored. */
  record: SessionRecord | undefined = undefined;
  entries: Entries;
  principal: string | undefined = undefined;
  createdAt: number;
  /** Staged by `setExpiry`, in epoch milliseconds. */
  expiry: number | undefined = undefined;
  beginning: Beginning | undefined = undefined;
  /** `create()`: stored even if it is empty. */
  storeEmpty = false;
  /** Commits store nothing and say `gone`, until a login. */
  closed: "gone" | "muted" | undefined = undefined;
  /** For a muted session: the id of the one that `rotate()` put in its place. */
  successor: string | undefined = undefined;
  /** The headers are going out, or have gone. */
  sealed = false;
  headersSent = false;
  /** The response has ended. */
  over = false;
  /** How many commits and logouts are under way, or wait for others. */
  running = 0;
  /** The program looked at the session: its answer may depend on the cookie. */
  wasRead = false;
  clientHasCookie = false;
  /** What the next response is to carry. */
  send: "token" | "clear" | undefined = undefined;
  /** Called once, before there is anything that a commit may write or send. */
  onPending: (() => ResponseStage) | undefined = undefined;

  constructor(context: Context, now: number, entries: Entries) {
    this.context = context;
    this.openedAt = now;
    this.createdAt = now;
    this.entries = entries;
  }
}

/** A session that is not stored yet. */
export const newState = (context: Context, now: number, given: Partial<State> = {}): State =>
  Object.assign(new State(context, now, createEntries(context.settings.newFields)), given);

/** The state of a session that is stored. */
export function storedState(
  context: Context,
  now: number,
  record: SessionRecord,
  given: Partial<State>,
): State {
  const state = new State(context, now, createEntries(record.fields));
  state.isNew = false;
  state.record = record;
  state.principal = record.principal;
  state.createdAt = record.createdAt;
  return Object.assign(state, given);
}

export function tokenOf(state: State): Token {
  state.token ??= newToken();
  return state.token;
}

/** Whether the next commit has a session to store for the first time. */
export const wantsRecord = (state: State): boolean =>
  state.record === undefined && (state.storeEmpty || state.entries.isChanged());

/** When a session that is used at `now` expires, unless `setExpiry` says otherwise. */
export const expiryFrom = ({ idle, absolute }: Settings, now: number, createdAt: number): number =>
  Math.min(now + idle, createdAt + absolute);

/** The record as it is now, if it is one of ours: live, expired or ended. */
export async function readNow({ settings, sizes }: Context, id: string): Promise<SessionRecord | undefined> {
  const readAt = ++sizes.ticks;
  const record = await settings.driver.load(id);
  return record && readRecord(id, record, settings.absolute, readAt);
}

/** Who lost a race waits a moment of random length, longer each time, so that the same two do not meet again. */
export const pause = (lost: number): Promise<void> => setTimeout(Math.random() * Math.min(2 ** lost, 250));

export const headersSent = (what: string): SessionError =>
  new SessionError(
    "ERR_SESSION_HEADERS_SENT",
    `${what} after the response's headers went out, too late to send the cookie. Do it earlier.`,
  );

/** Before anything is done that a commit may have to write or send. */
export function becomePending(state: State): void {
  const { onPending } = state;
  state.onPending = undefined;
  const stage = onPending?.() ?? "held";
  if (stage === "held") return;
  // The headers went out without a commit, because there was nothing to send: the session is sealed from now on.
  state.sealed = state.headersSent = true;
  state.over = stage === "over";
}

/** Where writes came too late: a place that does so with every request is told of once. */
const latePlaces = new Set<string>();
const MOST_PLACES = 100;

/**
 * Before a change is staged that a session without a record needs a cookie for.
 *
 * @returns `true` where the response is over and the change is to be dropped: an error thrown at a listener of its last
 * event would end the process.
 * @throws SessionError `ERR_SESSION_HEADERS_SENT` where the headers have gone out.
 */
export function isTooLate({ sealed, clientHasCookie, closed, over }: State): boolean {
  if (!sealed || clientHasCookie || closed) return false;
  const late = headersSent("The first write to a new session came");
  if (!over) throw late;
  const { message, stack = "" } = late;
  if (!latePlaces.has(stack) && latePlaces.size < MOST_PLACES) {
    latePlaces.add(stack);
    process.emitWarning(`${message} It was dropped.`, { detail: stack });
  }
  return true;
}

/** Before a write. @returns As `isTooLate`. */
export function beforeWrite(state: State): boolean {
  becomePending(state);
  return isTooLate(state);
}
