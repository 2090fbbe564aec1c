import { createEmitter } from "../context/events.ts";
import { readSettings, type SessionManagerOptions } from "../context/settings.ts";
import type { StoredRecord } from "../driver/contract.ts";
import { ENDED, isLive, ownFields, readRecord, SESSION } from "../record/session-record.ts";
import { createSession } from "../session/managed-session.ts";
import { MUTED_MS } from "../session/open.ts";
import { freshPhase, mutedPhase } from "../session/phase.ts";
import { logout } from "../session/replace.ts";
import type { Session } from "../session/session.ts";
import { newState, type Opened, type State, storedState } from "../session/state.ts";
import type { Codec } from "../store/codec.ts";
import { DEFAULT_CODEC } from "../store/codec.ts";
import type { StoreRules } from "../store/define-store.ts";
import { createValueCodec, type ValueCodec } from "../store/value-codec.ts";
import type { Token } from "../token/token.ts";
import { createContext, createManager, type SessionManager } from "./manager.ts";

/** How a library names its sessions. */
export interface Naming {
  /** Returns the token of a name: always the same one, and not to be guessed without the name. */
  tokenOf(name: string): Token;
  /** Returns the text of a name that a client holds. */
  textOf(name: string): string;
  /** Returns the names in a `Cookie` header, or in such a text, that the client may use. */
  namesIn(header: string | null | undefined): readonly string[];
  namesOf(text: string): readonly string[];
  /** Makes the name of a new session. */
  newName(): string;
  /** Returns whether a record without fields of core is one of the library's sessions. */
  isOurs(record: StoredRecord): boolean;
  /** The store that holds what the library itself keeps, and its codec. */
  readonly store: { readonly name: string; readonly codec: Codec };
}

/** What a library writes. */
export interface NamedChange {
  /** By name; `null` deletes. */
  readonly fields: ReadonlyMap<string, string | null>;
  /** In epoch milliseconds. */
  readonly expiresAt?: number | undefined;
  /** The principal that the session has from now on, under the same id. */
  readonly principal: string | undefined;
}

/** One request's session under a name that a library made. */
export interface NamedSession {
  readonly session: Session;
  /** The name: another one after `login()`, `rotate()` and `logout()`. */
  readonly name: string;
  /** What is stored, as last read or written; `undefined` if nothing is. */
  readonly record: StoredRecord | undefined;
  /** Returns the text of a field, staged ones included. */
  fieldOf(field: string): string | undefined;
  /** Stages a change for `session.commit()`. Returns `false` if the response is over and the change must be dropped.
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`: the client has no cookie, and can no longer get one. */
  stage(change: NamedChange): boolean;
  /** Ends the session at once. `successor` is the name of the session that takes its place. */
  end(successor?: string): Promise<void>;
}

/** The sessions of a library that makes their ids itself. */
export interface NamedSessions {
  readonly sessions: SessionManager;
  /**
   * Opens the session of a name. Returns `undefined` if there is none, and `"ended"` if there is what is left of one. A
   * session stores nothing if another request has just put one in its place.
   */
  open(name: string, newName?: () => string): Promise<NamedSession | "ended" | undefined>;
  /** Begins a session under a name. A commit that finds the name taken fails with {@link NameTakenError}. */
  create(name: string, newName?: () => string): NamedSession;
}

/** What stands in the note of an ended record before the id of a session that took its place without being the same. */
const NEXT = " ,";

/** The record of a new name is there already, and live. */
export class NameTakenError extends Error {}

/**
 * Makes a manager for sessions whose ids come from another library. Records hold what core's own do, and no name. What
 * the library wrote before gets the fields of core with its next write.
 */
export function createNamedSessions(
  options: Omit<SessionManagerOptions, "absolute" | "rotation" | "secrets" | "codec" | "maxPerPrincipal">,
  naming: Naming,
): NamedSessions {
  const names = new WeakMap<Token, string>();
  const tokenOf = (name: string): Token => {
    const token = naming.tokenOf(name);
    names.set(token, name);
    return token;
  };
  const nameOf = (token: Token): string => names.get(token) ?? "";
  const { on, emit } = createEmitter();
  const settings = readSettings({ ...options, absolute: false });
  const { driver, clock } = settings;
  const context = {
    ...createContext(settings, emit),
    codecs: new StoreCodecs(naming.store),
    newToken: () => tokenOf(naming.newName()),
    tokenText: (token: Token) => naming.textOf(nameOf(token)),
  };
  const manager = createManager(context, on);

  /** The context of one request, whose names may depend on it. */
  function contextOf(newName = naming.newName, tried?: string): typeof context {
    let last = tried;
    const newToken = (): Token => {
      const name = newName();
      // Another try under the same name would fail too.
      if (name === last) throw new NameTakenError("The id of the new session is taken");
      last = name;
      return tokenOf(name);
    };
    return { ...context, newToken };
  }

  const openedNow = (): Opened => ({
    by: "token",
    touch: false,
    secure: false,
    device: undefined,
    at: clock(),
  });

  async function open(name: string, newName?: () => string): Promise<NamedSession | "ended" | undefined> {
    const token = tokenOf(name);
    const opened = openedNow();
    const readAt = ++context.sizes.ticks;
    const stored = await driver.load(token.id);
    if (!stored) return undefined;
    const own =
      stored.fields.has(SESSION) || !naming.isOurs(stored)
        ? undefined
        : ownFields(token, opened.at, opened.at, true);
    const whole = own ? { ...stored, fields: new Map([...stored.fields, ...own]) } : stored;
    const record = readRecord(token.id, whole, settings.absolute, readAt);
    // The id is made of the name. Who finds the record by it has the family too.
    if (!record) return undefined;
    if (record.ended) {
      const { at, successor = stored.fields.get(ENDED)?.split(NEXT)[1] } = record.ended;
      // The visitor may have a newer cookie, which this request must not overwrite, unless the new session was not stored.
      if (opened.at >= at + MUTED_MS || (successor && !(await driver.load(successor)))) return "ended";
      const muted = contextOf(newName);
      return named(newState(muted, opened, { ...mutedPhase(opened.at, undefined), token: muted.newToken() }));
    }
    if (!isLive(record, opened.at)) return undefined;
    const { fields } = stored;
    return named(storedState(contextOf(newName), opened, { ...record, fields }, token), own);
  }

  function create(name: string, newName?: () => string): NamedSession {
    const opened = openedNow();
    const token = tokenOf(name);
    return named(newState(contextOf(newName, name), opened, { ...freshPhase(opened.at), token }));
  }

  function named(state: State, own: ReadonlyMap<string, string> = new Map()): NamedSession {
    return {
      session: createSession(state),
      get name() {
        return nameOf(state.token);
      },
      get record() {
        return state.record;
      },
      fieldOf: (field) => state.fields.get(field),
      stage({ fields, expiresAt, principal }) {
        if (state.beforeWrite()) return false;
        for (const [field, text] of own)
          if (state.fields.get(field) === undefined) state.fields.set(field, text);
        for (const [field, text] of fields) state.fields.set(field, text ?? undefined);
        if (expiresAt !== undefined && state.expiry === undefined) state.stageExpiry(expiresAt);
        if (principal !== state.record?.principal || principal !== state.phase.principal)
          state.assign(principal);
        return true;
      },
      async end(successor) {
        const { record, phase } = state;
        // A request that ends this one too leaves the successor alone: that is a session of its own, with its own cookie.
        if (successor !== undefined) return logout(state, `,${tokenOf(successor).id}`);
        // Not as logout() does it: the visitor keeps the cookie, and a request with it may begin a session at once.
        if (record && (await driver.destroy(record.id, clock())))
          emit("destroyed", { id: record.id, principal: phase.principal, reason: "logout" });
        state.loggedOut(false, false);
      },
    };
  }

  async function openFirst(found: readonly string[]): Promise<NamedSession | undefined> {
    for (const name of found) {
      const one = await open(name);
      if (one && one !== "ended") return one;
    }
    return undefined;
  }

  const sessions: SessionManager = {
    ...manager,
    async open(header) {
      return ((await openFirst(naming.namesIn(header))) ?? create(naming.newName())).session;
    },
    async load(text) {
      const found = await openFirst(naming.namesOf(text));
      return found?.record && found.session;
    },
    readToken(header) {
      const [name] = naming.namesIn(header);
      return name === undefined ? undefined : naming.textOf(name);
    },
  };
  return { sessions, open, create };
}

/** The codecs of store definitions. One store has a codec of its own: it holds what the other library reads too. */
class StoreCodecs extends WeakMap<StoreRules, ValueCodec> {
  readonly #store: Naming["store"];

  constructor(store: Naming["store"]) {
    super();
    this.#store = store;
  }

  override get(rules: StoreRules): ValueCodec | undefined {
    const { name, codec } = this.#store;
    const known = super.get(rules);
    if (known || rules.name !== name) return known;
    // Under the name of the default, its texts need no mark in records whose other entries have the default.
    const made = createValueCodec(rules, new Map([[DEFAULT_CODEC, codec]]));
    this.set(rules, made);
    return made;
  }
}
