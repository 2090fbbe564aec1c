import { checkOptions, epochOf } from "../base/options.ts";
import { checkNewPrincipal, checkStoreName, parseField } from "../record/field-names.ts";
import type { StoreDefinition, StoreRules } from "../store/define-store.ts";
import { createEntries } from "../store/staged-fields.ts";
import { createStore, flushStores, type Store } from "../store/store.ts";
import { createEntryCodec } from "../store/value-codec.ts";
import { newToken } from "../token/token.ts";
import { commit, discard, resultOf } from "./commit.ts";
import { CONTROLS, type ResponseStage, type SessionControls } from "./controls.ts";
import { logout } from "./replace.ts";
import type { Session } from "./session.ts";
import {
  becomePending,
  expiryFrom,
  headersSent,
  isTooLate,
  type Rejection,
  type State,
  tokenOf,
  wantsRecord,
} from "./state.ts";
import { refuseUnknownProperties } from "./unknown-properties.ts";
import { type CommitResult, isPending } from "./write.ts";

export const createSession = (state: State): Session => new ManagedSession(state);

/** What its getters tell may make an answer depend on the cookie. */
function read(state: State): State {
  state.wasRead = true;
  return state;
}

class ManagedSession implements Session, SessionControls {
  /** The session itself: through a Proxy around it, `this` is the Proxy, which has no private fields. */
  readonly [CONTROLS] = this;
  readonly #state: State;
  /** Commits and logouts of one session run one after another. */
  #last: Promise<unknown> = Promise.resolve();
  /** The last commit that failed. */
  #failure: { readonly error: unknown } | undefined;
  /** Before the commit that seals. */
  #hadCookie = false;

  constructor(state: State) {
    this.#state = state;
  }

  whenPending(onPending: () => ResponseStage): void {
    const state = this.#state;
    state.onPending = onPending;
    if (isPending(state)) becomePending(state);
  }

  dropLogin(): boolean {
    const state = this.#state;
    const { beginning } = state;
    // A commit under way has begun to write.
    if (!beginning || state.running > 0) return false;
    Object.assign(state, beginning.before, { beginning: undefined, expiry: beginning.staged.expiry });
    state.entries.restore(beginning.staged.entries);
    state.decoded.clear();
    return true;
  }

  wasRead(): boolean {
    return this.#state.wasRead;
  }

  get id(): string {
    const state = read(this[CONTROLS].#state);
    return state.record?.id ?? tokenOf(state).id;
  }

  get isNew(): boolean {
    return read(this[CONTROLS].#state).isNew;
  }

  get createdAt(): Date {
    return new Date(read(this[CONTROLS].#state).createdAt);
  }

  get expiresAt(): Date {
    const { context, record, beginning, expiry, createdAt } = read(this[CONTROLS].#state);
    const { settings } = context;
    if (expiry !== undefined) return new Date(Math.min(expiry, createdAt + settings.absolute));
    const stays = record && (beginning?.reason === "rotate" ? record.fixed : !beginning);
    return new Date(stays ? record.expiresAt : expiryFrom(settings, settings.clock(), createdAt));
  }

  get principal(): string | undefined {
    return read(this[CONTROLS].#state).principal;
  }

  get rejected(): Rejection | undefined {
    return read(this[CONTROLS].#state).rejected;
  }

  store<T extends object = Record<string, unknown>>(store: string | StoreDefinition<T>): Store<T> {
    const state = this[CONTROLS].#state;
    const { stores, context } = state;
    let known = stores.get(store);
    if (!known) {
      const rules: StoreRules = typeof store === "string" ? { name: store } : store;
      checkStoreName(rules.name);
      let codec = context.codecs.get(rules);
      if (!codec) {
        codec = createEntryCodec(rules, context.settings.codecs);
        // Only definitions last: for a plain name, making a codec is cheaper than a lookup.
        if (rules === store) context.codecs.set(rules, codec);
      }
      known = createStore(rules.name, codec, state);
      stores.set(store, known);
    }
    // The types are the definition's promise: its validators keep it, or the application does.
    return known as unknown as Store<T>;
  }

  storeNames(): string[] {
    const names = read(this[CONTROLS].#state)
      .entries.names()
      .flatMap((field) => parseField(field)?.store ?? []);
    return [...new Set(names)];
  }

  login(principal: string): void {
    checkNewPrincipal(principal);
    const state = this[CONTROLS].#state;
    this[CONTROLS].#begin("login");
    // A session that another principal used, or that has ended, leaves nothing to the new one.
    if (state.closed === "gone" || (state.principal !== undefined && state.principal !== principal)) {
      state.entries = createEntries(state.context.settings.newFields);
      state.decoded.clear();
    }
    state.principal = principal;
    state.createdAt = state.context.settings.clock();
    state.expiry = undefined;
  }

  rotate(): void {
    const { record, closed } = this[CONTROLS].#state;
    this[CONTROLS].#begin(record && !closed ? "rotate" : undefined);
  }

  #begin(reason: "login" | "rotate" | undefined): void {
    const state = this.#state;
    becomePending(state);
    if (state.access === "id")
      throw new TypeError("A session from get() has no token: it cannot log in or rotate");
    if (state.sealed) throw headersSent("login() or rotate()");
    // It is under way with the token, the principal and the stores that it has.
    if (state.running > 0)
      throw new TypeError("A commit or logout is under way: await it before login() or rotate()");
    if (reason === undefined || (reason === "rotate" && state.beginning)) return;
    const { token, entries, principal, createdAt, closed, expiry } = state;
    if (!state.beginning) {
      try {
        // What was mutated in place before belongs to what an error leaves.
        flushStores(state);
      } catch {
        // The commit reports a value that cannot be kept.
      }
    }
    const { before, staged } = state.beginning ?? {
      before: { token, entries, principal, createdAt, closed },
      staged: { entries: entries.staged(), expiry },
    };
    state.beginning = { reason, before, staged };
    if (state.record) state.token = newToken();
  }

  setExpiry(at: Date): void {
    const expiry = epochOf(at);
    const state = this[CONTROLS].#state;
    becomePending(state);
    if (!state.over || !isTooLate(state)) state.expiry = expiry;
  }

  logout(): Promise<void> {
    const self = this[CONTROLS];
    becomePending(self.#state);
    return self.#queue(() => logout(self.#state));
  }

  discard(): void {
    const state = this[CONTROLS].#state;
    if (state.running === 0) discard(state);
    else {
      state.entries.discard();
      state.decoded.clear();
      state.expiry = undefined;
    }
  }

  commit(options: { seal?: boolean | undefined } = {}): Promise<CommitResult> {
    checkOptions("session.commit", options, ["seal"]);
    const { seal = false } = options;
    const self = this[CONTROLS];
    const state = self.#state;
    becomePending(state);
    const failure = self.#failure;
    let unfit: { readonly error: unknown } | undefined;
    try {
      flushStores(state);
    } catch (error) {
      unfit = { error };
    }
    if (seal && !state.sealed) {
      // Before anything is awaited: what is staged now is in time, and what comes later is not.
      self.#hadCookie = state.clientHasCookie;
      state.clientHasCookie ||= state.send === "token" || state.beginning !== undefined || wantsRecord(state);
      state.sealed = true;
    }
    return self.#queue(async () => {
      // What this commit was to write was discarded with the one before it.
      if (failure !== self.#failure) throw self.#failure?.error;
      try {
        if (unfit) throw unfit.error;
        return resultOf(state, await commit(state), seal);
      } catch (error) {
        self.#failure = { error };
        discard(state);
        // What could not be committed does not go out: the error page begins anew.
        if (state.sealed && !state.headersSent)
          Object.assign(state, { sealed: false, clientHasCookie: self.#hadCookie });
        throw error;
      }
    });
  }

  #queue<T>(task: () => Promise<T>): Promise<T> {
    const state = this.#state;
    // Not at once, where nothing runs: who called goes on, and reads what is staged.
    const done = this.#last.then(task);
    state.running++;
    const ended = (): void => {
      state.running--;
    };
    this.#last = done.then(ended, ended);
    return done;
  }
}

refuseUnknownProperties(ManagedSession.prototype);
