import { type Duration, milliseconds } from "../base/duration.ts";
import { checkOptions, epochOf } from "../base/options.ts";
import { refuseUnknownProperties } from "../base/unknown-properties.ts";
import type { Rejection } from "../context/events.ts";
import { checkNewPrincipal, checkStoreName, parseField } from "../record/field-names.ts";
import { type Login, provenAt } from "../record/login.ts";
import type { StoreDefinition, StoreRules } from "../store/define-store.ts";
import { addMessage, FLASH, takeMessages } from "../store/flash.ts";
import { flushStores, SessionStore, type Store } from "../store/store.ts";
import { createValueCodec } from "../store/value-codec.ts";
import { commit, resultOf } from "./commit.ts";
import { CONTROLS, type SessionControls } from "./controls.ts";
import { headersSent } from "./late-write.ts";
import { readLogin } from "./login-options.ts";
import { isPending } from "./pending.ts";
import { logout } from "./replace.ts";
import type { ResponseStage } from "./response.ts";
import type { CommitResult, LoginOptions, Session } from "./session.ts";
import type { State } from "./state.ts";
import { expiryOf } from "./timeouts.ts";

export const createSession = (state: State): Session => new ManagedSession(state);

/** Notes that the program reads the session, so that its response may depend on the cookie. Every getter calls this. */
function read(state: State): State {
  state.response.noteRead();
  return state;
}

class ManagedSession implements Session, SessionControls {
  /** The session itself. Through a Proxy, `this` is the Proxy, which has no private fields. */
  readonly [CONTROLS] = this;
  readonly #state: State;
  /** Commits and logouts of one session run one after another. */
  #last: Promise<unknown> = Promise.resolve();
  /** The number of commits and logouts that run or wait. */
  #running = 0;
  /** The last commit that failed. */
  #failure: { readonly error: unknown } | undefined;

  constructor(state: State) {
    this.#state = state;
  }

  whenPending(onPending: () => ResponseStage): void {
    const state = this.#state;
    state.response.whenPending(onPending);
    if (isPending(state)) state.response.becomePending();
  }

  dropLogin(): boolean {
    // A commit under way has begun to write.
    return this.#running === 0 && this.#state.dropLogin();
  }

  wasRead(): boolean {
    return this.#state.response.wasRead;
  }

  get id(): string {
    const state = read(this[CONTROLS].#state);
    return state.record?.id ?? state.token.id;
  }

  get isNew(): boolean {
    return read(this[CONTROLS].#state).isNew;
  }

  get createdAt(): Date {
    return new Date(read(this[CONTROLS].#state).phase.createdAt);
  }

  get expiresAt(): Date {
    const state = read(this[CONTROLS].#state);
    const { record, phase, expiry } = state;
    const stays = record && (phase.kind !== "replacing" || (phase.reason === "rotate" && record.fixed));
    if (expiry === undefined && stays) return new Date(record.expiresAt);
    return new Date(expiryOf(state, expiry));
  }

  get principal(): string | undefined {
    return read(this[CONTROLS].#state).phase.principal;
  }

  get authenticatedAt(): Date | undefined {
    const { phase, login } = read(this[CONTROLS].#state);
    return phase.principal === undefined ? undefined : new Date(login.at ?? phase.createdAt);
  }

  authenticatedWithin(time: Duration): boolean {
    const { authenticatedAt } = this;
    const ms = milliseconds("authenticatedWithin", time);
    return (
      !!authenticatedAt && this[CONTROLS].#state.context.settings.clock() < authenticatedAt.getTime() + ms
    );
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
        codec = createValueCodec(rules, context.settings.codecs);
        // Cache only the codecs of definitions: for a plain name, making a codec is cheaper than a lookup.
        if (rules === store) context.codecs.set(rules, codec);
      }
      known = new SessionStore(rules.name, codec, state);
      stores.set(store, known);
    }
    // The validators of the definition, or the application itself, vouch for the type T.
    return known as unknown as Store<T>;
  }

  flash(name: string): unknown[];
  flash(name: string, value: unknown): void;
  flash(name: string, ...values: [unknown?]): unknown {
    const store = this.store(FLASH);
    if (values.length === 0) return takeMessages(store, name);
    return addMessage(store, name, values[0], this[CONTROLS].#state.context.settings.clock());
  }

  storeNames(): string[] {
    const names = read(this[CONTROLS].#state)
      .fields.names()
      .flatMap((field) => parseField(field)?.store ?? []);
    return [...new Set(names)];
  }

  login(principal: string, options?: LoginOptions): void {
    checkNewPrincipal(principal);
    const self = this[CONTROLS];
    self.#replace("login", principal, readLogin(self.#state.context.settings, options));
  }

  rotate(): void {
    this[CONTROLS].#replace("rotate");
  }

  reauthenticate(): void {
    const self = this[CONTROLS];
    const { phase, login, context } = self.#state;
    if (phase.principal === undefined) throw new TypeError("reauthenticate() is for users: a guest logs in");
    self.#replace("rotate", undefined, provenAt(login, context.settings.clock()));
  }

  #replace(reason: "login" | "rotate", principal?: string, login?: Login): void {
    const state = this.#state;
    state.response.becomePending();
    if (state.opened.by === "id") throw new TypeError("A session from get() cannot log in or rotate");
    if (state.response.stage !== "held") throw headersSent("login() or rotate()");
    // The commit has begun to write the present token, principal and stores.
    if (this.#running > 0) throw new TypeError("Await the commit or logout before login() or rotate()");
    if (state.phase.kind !== "replacing") {
      try {
        // Stage earlier mutations now, so that they are kept even if an error response takes the login back.
        flushStores(state);
      } catch {
        // The commit reports a value that cannot be stored.
      }
    }
    state.replace(reason, principal, login);
  }

  setExpiry(at: Date): void {
    const expiry = epochOf(at);
    const state = this[CONTROLS].#state;
    state.response.becomePending();
    if (state.response.stage !== "over" || !state.isTooLate()) state.stageExpiry(expiry);
  }

  logout(): Promise<void> {
    const self = this[CONTROLS];
    self.#state.response.becomePending();
    return self.#serialize(() => logout(self.#state));
  }

  discard(): void {
    const self = this[CONTROLS];
    if (self.#running === 0) self.#state.discard();
    else self.#state.discardFields();
  }

  commit(options: { seal?: boolean | undefined } = {}): Promise<CommitResult> {
    checkOptions("session.commit", options, ["seal"]);
    const { seal = false } = options;
    const self = this[CONTROLS];
    const state = self.#state;
    state.response.becomePending();
    const failure = self.#failure;
    let unfit: { readonly error: unknown } | undefined;
    try {
      flushStores(state);
    } catch (error) {
      unfit = { error };
    }
    // Seal before anything is awaited: what is staged now is in time, later changes are not.
    if (seal) state.seal();
    return self.#serialize(async () => {
      // The commit before this one failed, and discarded what this one was to write.
      if (failure !== self.#failure) throw self.#failure?.error;
      try {
        if (unfit) throw unfit.error;
        return resultOf(state, await commit(state), seal);
      } catch (error) {
        self.#failure = { error };
        state.discard();
        state.response.unseal();
        throw error;
      }
    });
  }

  /** Runs tasks one after another. */
  #serialize<T>(task: () => Promise<T>): Promise<T> {
    // Never run the task synchronously: the caller goes on and reads what is staged.
    const done = this.#last.then(task);
    this.#running++;
    const ended = (): void => {
      this.#running--;
    };
    this.#last = done.then(ended, ended);
    return done;
  }
}

function refuse(property: string): never {
  throw new TypeError(
    `session.${property} does not work: use session.store("app").set("user", …), see docs/moving/from-express-session.md`,
  );
}

// Methods and properties of express-session's sessions that code may read before it would set any.
for (const name of ["regenerate", "save", "reload", "destroy", "touch", "resetMaxAge", "cookie"])
  Object.defineProperty(ManagedSession.prototype, name, { get: () => refuse(name), configurable: true });
refuseUnknownProperties(ManagedSession.prototype, refuse);
