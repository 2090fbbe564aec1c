import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { callbackify } from "node:util";
import {
  type Driver,
  type Duration,
  isListingDriver,
  type ListedRecord,
  SessionConfigError,
  SessionError,
} from "@sessions/core";
import {
  checkOption,
  checkOptions,
  milliseconds,
  selfProvisioning,
  serialize,
} from "@sessions/core/driver-tools";
import {
  COOKIE_FIELD,
  changesBetween,
  type Done,
  decodeSession,
  type Encoded,
  encodeSession,
  recordId,
  type StoredSession,
  sessionFields,
} from "./layout.ts";

/** A class such as `session.Store` of express-session. */
export type StoreClass<S extends EventEmitter> = abstract new () => S;

/** Options of {@link expressSessionStore}. */
export interface ExpressSessionStoreOptions<S extends EventEmitter = EventEmitter> {
  /**
   * `session.Store` of express-session; the new store is an instance of it. `@fastify/session` needs none.
   * @default the one of the package `express-session`, if it is installed
   */
  readonly Store?: StoreClass<S> | undefined;
  /**
   * How long a session lives after its last use if its cookie ends with the browser (no `maxAge`, no `expires`).
   * @default "24h"
   */
  readonly idle?: Duration | undefined;
  /**
   * `"auto"`: the first call that finds a table or the like missing waits for `driver.setup()`. `"manual"`: that call
   * fails with `SessionSetupError`; choose it for an application without the permission to create tables.
   * @default "auto"
   */
  readonly setup?: "auto" | "manual" | undefined;
}

/** The methods that express-session and `@fastify/session` call. Every error goes to the callback. */
export interface ExpressSessionStore {
  /** Reads the session of that id. Passes `null` if there is none, or if it has expired. `T` is not checked. */
  get<T extends StoredSession>(sid: string, callback: (error: unknown, session?: T | null) => void): void;
  /** Writes the keys that changed since the session was read. Writes nothing if the session has ended since. */
  set(sid: string, session: object, callback?: Done): void;
  /** Moves the expiry, and writes the cookie's settings if they changed. */
  touch(sid: string, session: object, callback?: Done): void;
  /** Ends the session of that id. */
  destroy(sid: string, callback?: Done): void;
  /** Reads every live session, without ids: only hashes of ids are stored. Needs a driver that can list. */
  all(callback: (error: unknown, sessions?: StoredSession[]) => void): void;
  /** Counts the live sessions. Needs a driver that can list. */
  length(callback: (error: unknown, length?: number) => void): void;
  /** Ends every session. Needs a driver that can list. */
  clear(callback?: Done): void;
}

/** What the store knows of a session object that a request works with. */
interface Held {
  readonly id: string;
  /** Its fields as they were last read or written; `undefined` before the first write of a new session. */
  seen: ReadonlyMap<string, string> | undefined;
  /** Whether its request destroyed it; a later session under the same id is a new one. */
  over: boolean;
}

const hold = (id: string, seen: Held["seen"]): Held => ({ id, seen, over: false });

/** How many records a page of a listing holds. */
const PAGE = 1000;

function installedStore(): StoreClass<EventEmitter> | undefined {
  try {
    const found: unknown = createRequire(import.meta.url)("express-session");
    const Store: unknown = Reflect.get(Object(found), "Store");
    return isStoreClass(Store) ? Store : undefined;
  } catch {
    return undefined;
  }
}

const isStoreClass = (value: unknown): value is StoreClass<EventEmitter> =>
  typeof value === "function" && value.prototype instanceof EventEmitter;

/** The callback of a caller that passed none: the error becomes a process warning. */
const warn: Done = (error) => {
  if (error) process.emitWarning(error instanceof Error ? error : String(error));
};

/**
 * Makes a store for express-session, or for `@fastify/session`, that keeps its sessions in a driver. Of overlapping
 * requests that write different keys, both writes survive. A session that has ended stays ended.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { memoryDriver } from "@sessions/core/memory";
 * import { expressSessionStore } from "@sessions/express-session";
 * import session from "express-session";
 *
 * const store = expressSessionStore(memoryDriver(), { Store: session.Store });
 * const secret = process.env.SESSION_SECRET ?? "";
 * export const middleware = session({ store, secret, resave: false, saveUninitialized: false });
 */
export function expressSessionStore<S extends EventEmitter = EventEmitter>(
  driver: Driver,
  options: ExpressSessionStoreOptions<S> = {},
): S & ExpressSessionStore {
  checkOptions("expressSessionStore", options, ["Store", "idle", "setup"]);
  const isDriver = typeof Object(driver).load === "function";
  checkOption(
    isDriver,
    "driver",
    "a driver (await the promise if it comes from an async function)",
    typeof driver,
  );
  const { Store = installedStore() ?? EventEmitter, idle: given = "24h", setup = "auto" } = options;
  checkOption(["auto", "manual"].includes(setup), "setup", '"auto" or "manual"', setup);
  checkOption(typeof Store === "function", "Store", "express-session's session.Store", typeof Store);
  const idle = milliseconds("idle", given);
  const backend = setup === "auto" ? selfProvisioning(driver) : driver;
  const sessions = new WeakMap<object, Held>();
  const reading = new AsyncLocalStorage<Held>();

  /** Finds what is known of `session`: by the object itself, or else by the request that read it. */
  function heldFor(id: string, session: object): Held {
    const known = sessions.get(session);
    if (known?.id === id) return known;
    const read = reading.getStore();
    const held = read?.id === id && !read.over ? read : hold(id, undefined);
    sessions.set(session, held);
    return held;
  }

  /** Stores a session that was not read before: a new one, or one that the caller built to replace the stored one. */
  async function put(held: Held, { fields }: Encoded, expiresAt: number, now: number): Promise<void> {
    const { id } = held;
    if (expiresAt <= now) {
      await backend.destroy(id, now);
      return;
    }
    if (!(await backend.create(id, { expiresAt, fields }, now))) {
      const before = sessionFields((await backend.load(id))?.fields ?? new Map());
      await backend.commit(id, { fields: changesBetween(before, fields), expiresAt }, now);
    }
    held.seen = fields;
  }

  async function write(held: Held, encoded: Encoded): Promise<void> {
    const now = Date.now();
    const { fields, expiresAt = now + idle } = encoded;
    if (!held.seen) return put(held, encoded, expiresAt, now);
    // "gone" is no error here: the session has ended meanwhile, and stays ended.
    await backend.commit(held.id, { fields: changesBetween(held.seen, fields), expiresAt }, now);
    held.seen = fields;
  }

  async function touch(held: Held, { fields, expiresAt }: Encoded): Promise<void> {
    const now = Date.now();
    const cookie = new Map([...fields].filter(([name]) => name === COOKIE_FIELD));
    const before = new Map([...(held.seen ?? [])].filter(([name]) => name === COOKIE_FIELD));
    await backend.commit(
      held.id,
      { fields: changesBetween(before, cookie), expiresAt: expiresAt ?? now + idle },
      now,
    );
  }

  async function read(sid: string): Promise<{ held: Held; session: StoredSession } | undefined> {
    const id = recordId(sid);
    const record = await backend.load(id);
    const session =
      record && record.expiresAt > Date.now() ? decodeSession(record.fields, record.expiresAt) : undefined;
    if (!record || !session) return undefined;
    const held = hold(id, sessionFields(record.fields));
    sessions.set(session, held);
    return { held, session };
  }

  async function list(): Promise<ListedRecord[]> {
    if (!isListingDriver(backend) || backend.principalsOnly)
      throw new SessionError(
        "ERR_SESSION_UNSUPPORTED",
        `expressSessionStore: the driver "${backend.name}" cannot list all sessions, which all(), length() and clear() need. Use a driver that can list.`,
      );
    const now = Date.now();
    const found = new Map<string, ListedRecord>();
    let cursor: string | undefined;
    do {
      const page = await backend.list({ limit: PAGE, cursor }, now);
      for (const record of page.records)
        if (record.expiresAt > now && record.fields.has(COOKIE_FIELD)) found.set(record.id, record);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return [...found.values()];
  }

  const store: S = Reflect.construct(Store, []);
  const createSession: unknown = Reflect.get(store, "createSession");

  const methods: ExpressSessionStore & { createSession(req: object, data: object): object } = {
    get<T extends StoredSession>(sid: string, callback: (error: unknown, session?: T | null) => void) {
      callbackify(read)(sid, (error, found) => {
        if (error || !found) callback(error ?? null, null);
        // @fastify/session copies the session into a new object; the asynchronous context of the request lets `set`
        // recognise that object. The type T is not checked: it is the claim of the application, as with every store.
        else reading.run(found.held, callback, null, found.session as T);
      });
    },

    set(sid, session, callback = warn) {
      callbackify(async () => {
        // Encode before the first await: changes made while this waits belong to the next write.
        const encoded = encodeSession(session);
        const held = heldFor(recordId(sid), session);
        await serialize(held, () => write(held, encoded));
      })(callback);
    },

    touch(sid, session, callback = warn) {
      callbackify(async () => {
        const encoded = encodeSession(session);
        const held = heldFor(recordId(sid), session);
        await serialize(held, () => touch(held, encoded));
      })(callback);
    },

    destroy(sid, callback = warn) {
      callbackify(async () => {
        const id = recordId(sid);
        const held = reading.getStore();
        if (held?.id === id) held.over = true;
        await backend.destroy(id, Date.now());
      })(callback);
    },

    all(callback) {
      callbackify(async () =>
        (await list()).flatMap(({ fields, expiresAt }) => decodeSession(fields, expiresAt) ?? []),
      )(callback);
    },

    length(callback) {
      callbackify(async () => (await list()).length)(callback);
    },

    clear(callback = warn) {
      callbackify(async () => {
        for (const { id } of await list()) await backend.destroy(id, Date.now());
      })(callback);
    },

    createSession(req, data) {
      if (typeof createSession !== "function")
        throw new SessionConfigError(
          "expressSessionStore: the option Store must be session.Store of express-session. Pass { Store: session.Store }.",
        );
      const session: object = Reflect.apply(createSession, store, [req, data]);
      // express-session copies the session that it read into a new object.
      const held = sessions.get(data);
      if (held) sessions.set(session, held);
      return session;
    },
  };
  const made = Object.assign(store, methods);
  drivers.set(made, { driver, settings: { idle, setup } });
  return made;
}

/** What a store of {@link expressSessionStore} was made of. */
interface Made {
  readonly driver: Driver;
  readonly settings: { readonly idle: number; readonly setup: "auto" | "manual" };
}

const drivers = new WeakMap<object, Made>();

/** What a store was made of, if {@link expressSessionStore} made it. */
export const driverOf = (store: object): Made | undefined => drivers.get(store);
