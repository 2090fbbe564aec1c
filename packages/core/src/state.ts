import { setTimeout } from "node:timers/promises";
import type { StoreRules } from "./define-store.ts";
import { createEntries, type Entries } from "./entries.ts";
import type { EntryCodec } from "./entry-codec.ts";
import { SessionError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import { readRecord, type SessionRecord } from "./record.ts";
import type { Settings } from "./settings.ts";
import type { DecodedValues, Store } from "./store.ts";
import { newToken, type Token } from "./token.ts";

/** What a manager's parts share. */
export interface Context {
  readonly settings: Settings;
  /** By definition, made for the first session that has the store. */
  readonly codecs: WeakMap<StoreRules, EntryCodec>;
  readonly emit: Emitter["emit"];
}

/** Why the token that came was not accepted. */
export type Rejection = "malformed" | "signature" | "unknown" | "expired" | "reused";

/** A new session that a login or `rotate()` begins at the next commit. */
interface Beginning {
  readonly reason: "login" | "rotate";
  /** What the new session takes the place of; to go back to where the commit fails. */
  readonly before: Pick<State, "token" | "entries" | "principal" | "createdAt" | "closed">;
}

/** One session of one request: what was read, what is staged, what the client is to be told. */
export interface State {
  readonly context: Context;
  /** By `"id"` a session is read and written, never touched, rotated or given to a client. */
  readonly access: "token" | "id";
  readonly touch: boolean;
  /** When the request came: rotation counts from there, not from when its handler is done. */
  readonly openedAt: number;
  /** By name or definition. */
  readonly stores: Map<unknown, Store<Record<string, unknown>>>;
  readonly decoded: DecodedValues;
  isNew: boolean;
  rejected: Rejection | undefined;
  /** Made when it is first needed. */
  token: Token | undefined;
  /** The digest of the turn that the client presented. */
  presented: string | undefined;
  /** As last read or written; `undefined` while nothing is stored. */
  record: SessionRecord | undefined;
  entries: Entries;
  principal: string | undefined;
  createdAt: number;
  /** Staged by `setExpiry`, in epoch milliseconds. */
  expiry: number | undefined;
  beginning: Beginning | undefined;
  /** `create()`: stored even if it is empty. */
  storeEmpty: boolean;
  /** Commits store nothing and say `gone`, until a login. */
  closed: "gone" | "muted" | undefined;
  /** For a muted session: the id of the one that `rotate()` put in its place. */
  successor: string | undefined;
  /** The headers are going out, or have gone. */
  sealed: boolean;
  headersSent: boolean;
  clientHasCookie: boolean;
  /** What the next response is to carry. */
  send: "token" | "clear" | undefined;
}

/** A session that is not stored yet. One literal, whose shape every request's state shares, and nothing spread. */
export const newState = (context: Context, now: number, given: Partial<State> = {}): State =>
  Object.assign<State, Partial<State>>(
    {
      context,
      access: "token",
      touch: true,
      openedAt: now,
      stores: given.stores ?? new Map(),
      decoded: given.decoded ?? new Map(),
      isNew: true,
      rejected: undefined,
      token: undefined,
      presented: undefined,
      record: undefined,
      entries: given.entries ?? createEntries(),
      principal: undefined,
      createdAt: now,
      expiry: undefined,
      beginning: undefined,
      storeEmpty: false,
      closed: undefined,
      successor: undefined,
      sealed: false,
      headersSent: false,
      clientHasCookie: false,
      send: undefined,
    },
    given,
  );

/** The state of a session that is stored. */
export function storedState(
  context: Context,
  now: number,
  record: SessionRecord,
  given: Partial<State>,
): State {
  const { principal, createdAt } = record;
  const entries = createEntries(record.fields);
  return newState(context, now, { isNew: false, record, entries, principal, createdAt, ...given });
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
export async function readNow({ settings }: Context, id: string): Promise<SessionRecord | undefined> {
  const record = await settings.driver.load(id);
  return record && readRecord(id, record, settings.absolute);
}

/** Who lost a race waits a moment of random length, longer each time, so that the same two do not meet again. */
export const pause = (lost: number): Promise<void> => setTimeout(Math.random() * Math.min(2 ** lost, 250));

export const headersSent = (what: string): SessionError =>
  new SessionError(
    "ERR_SESSION_HEADERS_SENT",
    `${what} after the response's headers went out: the client cannot be given the cookie any more. Do it earlier.`,
  );

/** Before a change is staged: throws where the client can no longer be given the cookie that it lacks. */
export function beforeWrite({ sealed, clientHasCookie, closed }: State): void {
  if (sealed && !clientHasCookie && !closed) throw headersSent("The first write to a new session came");
}
