import type { Done, StoredSession } from "./layout.ts";

/** What is used of a store for express-session. */
export interface StoreLike {
  get(sid: string, callback: (error?: unknown, session?: object | null) => void): unknown;
  set(sid: string, session: StoredSession, callback: Done): unknown;
  destroy(sid: string, callback: Done): unknown;
}

/** What a store has under an id. */
export function getFrom(store: StoreLike, id: string): Promise<object | undefined> {
  return new Promise((resolve, reject) => {
    store.get(id, (error, session) => {
      // Some stores of files answer so where there is none, and express-session takes it so.
      if (error && Reflect.get(Object(error), "code") !== "ENOENT") reject(error);
      else resolve(error ? undefined : (session ?? undefined));
    });
  });
}

/** Fifty years. What counts seconds in 32 bits, as express-mysql-session does, has no room for those who ask for a century. */
const LONGEST_MS = 50 * 365 * 24 * 3_600_000;

/** Has a store keep something for so long. */
export function keepFor(wanted: number, store: StoreLike, id: string, data: object): Promise<void> {
  const life = Math.min(wanted, LONGEST_MS);
  // Stores differ in which of these they go by.
  const cookie = { originalMaxAge: life, maxAge: life, expires: new Date(Date.now() + life) };
  return fromCallback((done) => store.set(id, { ...data, cookie }, done));
}

/** Waits for a call that ends with a callback. */
export function fromCallback(begin: (done: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    begin((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
