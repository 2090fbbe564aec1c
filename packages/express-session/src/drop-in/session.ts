import { callbackify, type InspectOptions, inspect } from "node:util";
import type { StoredSession } from "@sessions/adopting";
import type { Cookie } from "./cookie.ts";
import { copyKey } from "./unread.ts";

/** The parts of a store that a session needs. */
interface StoreOfSession extends ReadableStore {
  set(sid: string, session: object, callback?: SessionCallback): void;
  destroy(sid: string, callback?: SessionCallback): void;
  regenerate(req: SessionRequest, callback: SessionCallback): void;
  createSession(req: SessionRequest, found: StoredSession): Session;
}

interface ReadableStore {
  get(sid: string, callback: (error?: unknown, session?: StoredSession | null) => void): unknown;
}

/** The parts of a request that a session needs. */
export interface SessionRequest {
  session?: Session | null | undefined;
  sessionID?: string | undefined;
  sessionStore?: StoreOfSession | undefined;
}

/** What `save()` and the others do. */
export interface Operations {
  save(): Promise<void>;
  reload(): Promise<void>;
  destroy(): Promise<void>;
  regenerate(): Promise<void>;
}

/** The callback of a session's method. */
export type SessionCallback = (error?: unknown) => void;

const operations = new WeakMap<Session, Operations>();

/** Tells what the methods of a session do. Without it they call the store of its request. */
export const operate = (session: Session, by: Operations): void => void operations.set(session, by);

/** `req.session`: a plain object that holds the application's data, and the methods of express-session. */
export class Session {
  declare readonly req: SessionRequest;
  /** The id in the visitor's cookie. It is a secret. */
  declare readonly id: string;
  declare cookie: Cookie;

  constructor(req: SessionRequest, data?: object | null) {
    Object.defineProperty(this, "req", { value: req });
    Object.defineProperty(this, "id", { value: req.sessionID, configurable: true });
    // Names of methods are reserved: what is stored under them does not replace a method.
    if (data) for (const key of Object.keys(data)) if (!(key in this)) copyKey(data, this, key);
  }

  /** Begins the time of `cookie.maxAge` anew. The middleware does it for every request. */
  touch(): this {
    return this.resetMaxAge();
  }

  resetMaxAge(): this {
    this.cookie.maxAge = this.cookie.originalMaxAge;
    return this;
  }

  /** Stores the session now. Every response waits for that in any case. */
  save(callback: SessionCallback): this;
  save(): Promise<void>;
  save(callback?: SessionCallback): this | Promise<void> {
    return settle(this, operationsOf(this).save(), callback);
  }

  /** Reads the session again, into a new object in `req.session`. */
  reload(callback: SessionCallback): this;
  reload(): Promise<void>;
  reload(callback?: SessionCallback): this | Promise<void> {
    return settle(this, operationsOf(this).reload(), callback);
  }

  /** Ends the session, and removes `req.session`. */
  destroy(callback: SessionCallback): this;
  destroy(): Promise<void>;
  destroy(callback?: SessionCallback): this | Promise<void> {
    return settle(this, operationsOf(this).destroy(), callback);
  }

  /** Ends the session, and begins an empty one with a new id in `req.session`. */
  regenerate(callback: SessionCallback): this;
  regenerate(): Promise<void>;
  regenerate(callback?: SessionCallback): this | Promise<void> {
    return settle(this, operationsOf(this).regenerate(), callback);
  }
}

// `console.log(req.session)` shows values, and not that they are parsed when they are read.
Object.defineProperty(Session.prototype, inspect.custom, {
  value(this: Session, _depth: number, options: InspectOptions) {
    return `Session ${inspect({ ...this }, options)}`;
  },
});

// Methods of a class are not enumerable, so that only data is.
function settle<T>(
  session: T,
  done: Promise<void>,
  callback: SessionCallback | undefined,
): T | Promise<void> {
  if (callback) {
    callbackify(() => done)(callback);
    return session;
  }
  // express-session takes no error amiss that nobody asks for: the response's own commit reports it.
  done.catch(() => {});
  return done;
}

const operationsOf = (session: Session): Operations => operations.get(session) ?? overStore(session);

/** A session that `store.load()` returned belongs to no response. */
function overStore(session: Session): Operations {
  const { req, id } = session;
  const { sessionStore: store } = req;
  if (!store) throw new TypeError("This session has no store");
  return {
    save: () => call((done) => store.set(id, session, done)),
    async reload() {
      const found = await readFrom(store, id);
      if (!found) throw new Error("failed to load session");
      store.createSession(req, found);
    },
    destroy() {
      Reflect.deleteProperty(req, "session");
      return call((done) => store.destroy(id, done));
    },
    regenerate: () => call((done) => store.regenerate(req, done)),
  };
}

/** Calls a function that takes a callback. */
export const call = (begin: (done: SessionCallback) => unknown): Promise<void> =>
  new Promise((resolve, reject) => {
    begin((error) => {
      if (error) reject(error);
      else resolve();
    });
  });

/** Reads from any store. File stores report a missing session as ENOENT. */
export const readFrom = (store: ReadableStore, sid: string): Promise<StoredSession | undefined> =>
  new Promise((resolve, reject) => {
    store.get(sid, (error, session) => {
      if (error && Reflect.get(Object(error), "code") !== "ENOENT") reject(error);
      else resolve(error ? undefined : (session ?? undefined));
    });
  });
