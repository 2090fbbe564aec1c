/** A store's callback. It gets the error if the call failed, and nothing otherwise. */
export type Done = (error?: unknown) => void;

/** A session as a store returns it: the application's data by key, and the cookie's settings. */
export interface StoredSession {
  /** The settings of the cookie, which express-session makes a `Cookie` of. */
  cookie: {
    /** The `maxAge` that was set, in milliseconds; `null` if the cookie ends with the browser. */
    originalMaxAge: number | null;
    /** When the session ends; `null` if the cookie ends with the browser. */
    expires?: Date | null | undefined;
  };
}

/**
 * The part of an express-session store that this package calls. Every store for express-session has these methods, and
 * every store for `@fastify/session`.
 */
export interface StoreLike {
  /** Passes the session of that id to the callback; `null` or `undefined` if there is none. */
  get(sid: string, callback: (error?: unknown, session?: object | null) => void): unknown;
  /** Stores the session under that id, in place of an older one. */
  set(sid: string, session: StoredSession, callback: Done): unknown;
  /** Removes the session of that id. A missing session is no error. */
  destroy(sid: string, callback: Done): unknown;
}

/** The part of a store that a takeover calls: it reads sessions, and ends them. */
export type OldStore = Pick<StoreLike, "get" | "destroy">;

/** Reads the session of an id; `undefined` if the store has none. */
export function getFrom(store: OldStore, id: string): Promise<object | undefined> {
  return new Promise((resolve, reject) => {
    store.get(id, (error, session) => {
      // File stores report a missing session as ENOENT, and express-session treats that as "no session" too.
      if (error && Reflect.get(Object(error), "code") !== "ENOENT") reject(error);
      else resolve(error ? undefined : (session ?? undefined));
    });
  });
}

/** Fifty years. Stores that count seconds in 32 bits, such as express-mysql-session, overflow with longer times. */
const LONGEST_MS = 50 * 365 * 24 * 3_600_000;

/** Stores `data` under `id` for `wanted` milliseconds, at most for fifty years. */
export function keepFor(wanted: number, store: StoreLike, id: string, data: object): Promise<void> {
  const life = Math.min(wanted, LONGEST_MS);
  // Stores differ in which of these three they read.
  const cookie = { originalMaxAge: life, maxAge: life, expires: new Date(Date.now() + life) };
  return fromCallback((done) => store.set(id, { ...data, cookie }, done));
}

/** Calls a function that takes a callback, and returns a promise for it. */
export function fromCallback(begin: (done: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    begin((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
