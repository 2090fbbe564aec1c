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

/** A class such as `session.Store`. */
export type StoreClass<S extends EventEmitter> = abstract new () => S;

/** Options of `expressSessionStore`. */
export interface ExpressSessionStoreOptions<S extends EventEmitter = EventEmitter> {
  /**
   * express-session's `session.Store`, which the store is to be an instance of. `@fastify/session` needs none.
   * @default that of the package `express-session`, where it is installed
   */
  readonly Store?: StoreClass<S> | undefined;
  /**
   * How long a session lives after its last use where its cookie ends with the browser (no `maxAge`, no `expires`).
   * @default "24h"
   */
  readonly idle?: Duration | undefined;
  /**
   * `"auto"`: the first call that finds something missing in the backend waits for `driver.setup()`. `"manual"`: it is a
   * `SessionSetupError`, for an application without the permission to make tables.
   * @default "auto"
   */
  readonly setup?: "auto" | "manual" | undefined;
}

/** What express-session and `@fastify/session` call; each error goes to the callback. */
export interface ExpressSessionStore {
  /** The session of that id, as the application declares its sessions; nothing where there is none, or it has expired. */
  get<T extends StoredSession>(sid: string, callback: (error: unknown, session?: T | null) => void): void;
  /** Writes what changed since the session was read; nothing where it has ended since. */
  set(sid: string, session: object, callback?: Done): void;
  /** Moves the expiry, and writes what changed of the cookie's settings. */
  touch(sid: string, session: object, callback?: Done): void;
  /** Ends the session of that id. */
  destroy(sid: string, callback?: Done): void;
  /** Every live session, where the driver can list; their ids are not known, but to their visitors. */
  all(callback: (error: unknown, sessions?: StoredSession[]) => void): void;
  /** How many sessions are live, where the driver can list. */
  length(callback: (error: unknown, length?: number) => void): void;
  /** Ends every session, where the driver can list. */
  clear(callback?: Done): void;
}

/** What is known of a session that somebody has in hand. */
interface Held {
  readonly id: string;
  /** Its fields as they were last read or written; none before it was ever stored. */
  seen: ReadonlyMap<string, string> | undefined;
  /** Whether its request ended it, and what comes under the same id is another one. */
  over: boolean;
}

const hold = (id: string, seen: Held["seen"]): Held => ({ id, seen, over: false });

/** Listings are read in pages of this many. */
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

/** A callback is the caller's choice in most methods; an error that nobody asked for is still no secret. */
const warn: Done = (error) => {
  if (error) process.emitWarning(error instanceof Error ? error : String(error));
};

/**
 * A store for express-session, or for `@fastify/session`, that keeps its sessions by a driver: overlapping requests that
 * write different keys both survive, and a session that has ended stays so.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 */
export function expressSessionStore<S extends EventEmitter = EventEmitter>(
  driver: Driver,
  options: ExpressSessionStoreOptions<S> = {},
): S & ExpressSessionStore {
  checkOptions("expressSessionStore", options, ["Store", "idle", "setup"]);
  const isDriver = typeof Object(driver).load === "function";
  checkOption(isDriver, "driver", "a driver: await what makes one", typeof driver);
  const { Store = installedStore() ?? EventEmitter, idle: given = "24h", setup = "auto" } = options;
  checkOption(["auto", "manual"].includes(setup), "setup", '"auto" or "manual"', setup);
  checkOption(typeof Store === "function", "Store", "express-session's session.Store", typeof Store);
  const idle = milliseconds("idle", given);
  const backend = setup === "auto" ? selfProvisioning(driver) : driver;
  const sessions = new WeakMap<object, Held>();
  const reading = new AsyncLocalStorage<Held>();

  /** What is known of `session`, by itself or by the request that it was read for. */
  function holdOf(id: string, session: object): Held {
    const known = sessions.get(session);
    if (known?.id === id) return known;
    const read = reading.getStore();
    const held = read?.id === id && !read.over ? read : hold(id, undefined);
    sessions.set(session, held);
    return held;
  }

  /** Stores a session that nobody has read: a new one, or one that the caller made up to replace what is there. */
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
    // Where the answer is "gone", the session has ended meanwhile, and stays so.
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
    if (!isListingDriver(backend))
      throw new SessionError("ERR_SESSION_UNSUPPORTED", `The driver "${backend.name}" cannot list sessions`);
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
        // What @fastify/session makes of it is told by the request that it is made in. That it is what the application
        // declares is the application's own word, for this store as for every other.
        else reading.run(found.held, callback, null, found.session as T);
      });
    },

    set(sid, session, callback = warn) {
      callbackify(async () => {
        // At once: what is changed while this waits belongs to the next write.
        const encoded = encodeSession(session);
        const held = holdOf(recordId(sid), session);
        // Writes of one session land in their order.
        await serialize(held, () => write(held, encoded));
      })(callback);
    },

    touch(sid, session, callback = warn) {
      callbackify(async () => {
        const encoded = encodeSession(session);
        const held = holdOf(recordId(sid), session);
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
        throw new SessionConfigError("expressSessionStore: for express-session, Store must be session.Store");
      const session: object = Reflect.apply(createSession, store, [req, data]);
      // express-session copies what it was answered into an object of its own.
      const held = sessions.get(data);
      if (held) sessions.set(session, held);
      return session;
    },
  };
  return Object.assign(store, methods);
}
