import { epochOf } from "./check.ts";
import { type CommitResult, foundGone, isPending, type Status, writeRecord } from "./commit.ts";
import { formatCookie, type SessionCookie } from "./cookie.ts";
import type { StoreDefinition, StoreRules } from "./define-store.ts";
import { createEntries } from "./entries.ts";
import { createEntryCodec } from "./entry-codec.ts";
import { checkPrincipal, checkStoreName, parseField } from "./fields.ts";
import {
  becomePending,
  expiryFrom,
  headersSent,
  type Rejection,
  type State,
  tokenOf,
  wantsRecord,
} from "./state.ts";
import { createStore, flushStores, type Store } from "./store.ts";
import { beginSession, logout } from "./succession.ts";
import { formatToken, newToken } from "./token.ts";

/**
 * What one visitor's cookie names: an id, an expiry, an optional principal, and stores. Everything is synchronous and
 * staged until `commit()`, except `logout()`.
 */
export interface Session {
  /** 32 hex characters; safe to log. The commit after a login or `rotate()` gives the session a new one. */
  readonly id: string;
  /** The client did not name this session: no token came, or it was not accepted. */
  readonly isNew: boolean;
  /** When it was created, or last logged in. */
  readonly createdAt: Date;
  /** From this instant on it is expired. */
  readonly expiresAt: Date;
  /** Whom it belongs to since a login. */
  readonly principal: string | undefined;
  /** Why the token that came was not accepted. */
  readonly rejected: Rejection | undefined;
  /**
   * An application's store, by name or definition; made by need.
   * @throws TypeError for a bad name.
   */
  store<T extends object = Record<string, unknown>>(store: string | StoreDefinition<T>): Store<T>;
  /** The stores that hold something. */
  storeNames(): string[];
  /**
   * Makes the session the principal's: at the next commit a new session, with a new id and secret, takes over the
   * stores and the old one ends. Another principal's stores are not taken over (OWASP: session fixation). Where another
   * request ended the old one meanwhile, it takes over what was read.
   * @param principal 1 to 255 bytes of well-formed text, without NUL.
   * @throws TypeError for a bad principal, or a session from `get`, a commit under way; `ERR_SESSION_HEADERS_SENT`.
   */
  login(principal: string): void;
  /**
   * Ends the session in the backend, at once; what was staged is dropped. The object is a fresh, empty session then.
   * Rejects with `DriverUnavailableError`, and the session may not have ended.
   */
  logout(): Promise<void>;
  /**
   * A new id and secret at the next commit, for a change of privilege; nothing where nothing is stored.
   * @throws TypeError for a session from `get`, or a commit under way; `ERR_SESSION_HEADERS_SENT`.
   */
  rotate(): void;
  /**
   * Fixes the expiry: no use moves it until the next login or `setExpiry`. Never beyond the absolute timeout; in the
   * past it ends the session.
   * @throws TypeError for an invalid date.
   */
  setExpiry(at: Date): void;
  /**
   * Writes what changed since the last commit, once. Where it rejects, what was staged is discarded, and commits that
   * were called meanwhile reject with the same error.
   *
   * @param options `seal: true` says that the headers go out now: afterwards `login`, `rotate`, and a first write to a
   * session that the client has no cookie for throw `ERR_SESSION_HEADERS_SENT`.
   * @throws DriverUnavailableError, SessionTooLargeError, SessionConflictError, SessionSetupError; TypeError for a value
   * that was mutated into what the codec cannot carry.
   */
  commit(options?: { seal?: boolean | undefined }): Promise<CommitResult>;
}

export function createSession(state: State): Session {
  return new ManagedSession(state);
}

/**
 * Tells whoever sends responses when one must wait for a commit: calls `onPending` once, before the session first holds
 * anything that a commit may write or send, and at once where it does already. Until then it needs no commit. For
 * whoever writes an adapter.
 *
 * @param onPending Answers whether the headers have gone out; from then on the session is as after a commit with
 * `seal: true`.
 */
export function whenPending(session: Session, onPending: () => boolean): void {
  ManagedSession.whenPending(session, onPending);
}

class ManagedSession implements Session {
  static whenPending(session: Session, onPending: () => boolean): void {
    // Of another core's, or one that somebody has wrapped, nothing is known.
    if (!(#state in session)) return void onPending();
    const state = session.#state;
    state.onPending = onPending;
    if (isPending(state)) becomePending(state);
  }

  readonly #state: State;
  /** Commits and logouts of one session run one after another. */
  #last: Promise<unknown> = Promise.resolve();
  #running = 0;
  /** The last commit that failed. */
  #failure: { readonly error: unknown } | undefined;
  /** Before the commit that seals. */
  #hadCookie = false;

  constructor(state: State) {
    this.#state = state;
  }

  get id(): string {
    return this.#state.record?.id ?? tokenOf(this.#state).id;
  }

  get isNew(): boolean {
    return this.#state.isNew;
  }

  get createdAt(): Date {
    return new Date(this.#state.createdAt);
  }

  get expiresAt(): Date {
    const { context, record, beginning, expiry, createdAt } = this.#state;
    const { settings } = context;
    if (expiry !== undefined) return new Date(Math.min(expiry, createdAt + settings.absolute));
    const stays = record && (beginning?.reason === "rotate" ? record.fixed : !beginning);
    return new Date(stays ? record.expiresAt : expiryFrom(settings, settings.clock(), createdAt));
  }

  get principal(): string | undefined {
    return this.#state.principal;
  }

  get rejected(): Rejection | undefined {
    return this.#state.rejected;
  }

  store<T extends object = Record<string, unknown>>(store: string | StoreDefinition<T>): Store<T> {
    const { stores, context } = this.#state;
    let known = stores.get(store);
    if (!known) {
      const rules: StoreRules = typeof store === "string" ? { name: store } : store;
      checkStoreName(rules.name);
      let codec = context.codecs.get(rules);
      if (!codec) {
        codec = createEntryCodec(rules, context.settings.codec);
        // A name's own is made anew more cheaply than it is looked up.
        if (rules === store) context.codecs.set(rules, codec);
      }
      known = createStore(rules.name, codec, this.#state);
      stores.set(store, known);
    }
    // The types are the definition's promise: its validators keep it, or the application does.
    return known as unknown as Store<T>;
  }

  storeNames(): string[] {
    const names = this.#state.entries.names().flatMap((field) => parseField(field)?.store ?? []);
    return [...new Set(names)];
  }

  login(principal: string): void {
    checkPrincipal(principal);
    const state = this.#state;
    this.#begin("login");
    // A session that another principal used, or that has ended, leaves nothing to the new one.
    if (state.closed === "gone" || (state.principal !== undefined && state.principal !== principal)) {
      state.entries = createEntries();
      state.decoded.clear();
    }
    state.principal = principal;
    state.createdAt = state.context.settings.clock();
    state.expiry = undefined;
  }

  rotate(): void {
    const { record, closed } = this.#state;
    this.#begin(record && !closed ? "rotate" : undefined);
  }

  #begin(reason: "login" | "rotate" | undefined): void {
    const state = this.#state;
    becomePending(state);
    if (state.access === "id")
      throw new TypeError("A session from get() has no token: it cannot log in or rotate");
    if (state.sealed) throw headersSent("login() or rotate()");
    // It is under way with the token, the principal and the stores that it has.
    if (this.#running > 0)
      throw new TypeError("A commit or logout is under way: await it before login() or rotate()");
    if (reason === undefined || (reason === "rotate" && state.beginning)) return;
    const { token, entries, principal, createdAt, closed } = state;
    const before = state.beginning?.before ?? { token, entries, principal, createdAt, closed };
    state.beginning = { reason, before };
    if (state.record) state.token = newToken();
  }

  setExpiry(at: Date): void {
    const expiry = epochOf(at);
    becomePending(this.#state);
    this.#state.expiry = expiry;
  }

  logout(): Promise<void> {
    becomePending(this.#state);
    return this.#queue(() => logout(this.#state));
  }

  commit({ seal = false }: { seal?: boolean | undefined } = {}): Promise<CommitResult> {
    const state = this.#state;
    becomePending(state);
    const failure = this.#failure;
    let unfit: { readonly error: unknown } | undefined;
    try {
      flushStores(state);
    } catch (error) {
      unfit = { error };
    }
    if (seal && !state.sealed) {
      // Before anything is awaited: what is staged now is in time, and what comes later is not.
      this.#hadCookie = state.clientHasCookie;
      state.clientHasCookie ||= state.send === "token" || state.beginning !== undefined || wantsRecord(state);
      state.sealed = true;
    }
    return this.#queue(async () => {
      // What this commit was to write was discarded with the one before it.
      if (failure !== this.#failure) throw this.#failure?.error;
      try {
        if (unfit) throw unfit.error;
        return result(state, await commit(state), seal);
      } catch (error) {
        this.#failure = { error };
        discard(state);
        // What could not be committed does not go out: the error page begins anew.
        if (state.sealed && !state.headersSent)
          Object.assign(state, { sealed: false, clientHasCookie: this.#hadCookie });
        throw error;
      }
    });
  }

  #queue<T>(task: () => Promise<T>): Promise<T> {
    // Not at once, where nothing runs: who called goes on, and reads what is staged.
    const done = this.#last.then(task);
    this.#running++;
    const ended = (): void => {
      this.#running--;
    };
    this.#last = done.then(ended, ended);
    return done;
  }
}

function commit(state: State): Status | Promise<Status> {
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

/** After a commit that failed: as if nothing had been staged. What an earlier one promised the client stays. */
function discard(state: State): void {
  if (state.beginning) Object.assign(state, state.beginning.before);
  state.beginning = undefined;
  state.expiry = undefined;
  state.entries.discard();
  state.decoded.clear();
}

function result(state: State, status: Status, seal: boolean): CommitResult {
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
