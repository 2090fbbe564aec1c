import { EventEmitter } from "node:events";
import type { StoredSession } from "@sessions/adopting";
import { Cookie } from "./cookie.ts";
import { Session, type SessionCallback, type SessionRequest } from "./session.ts";

/** A store's callback that gets a session. */
export type ReadCallback = (error?: unknown, session?: StoredSession | null) => void;

/** `session.Store`: the base of stores for express-session. */
export abstract class BaseStore extends EventEmitter {
  /** Set by the middleware: begins a new session for a request. */
  declare generate: (req: SessionRequest) => void;
  abstract get(sid: string, callback: ReadCallback): void;
  abstract set(sid: string, session: object, callback?: SessionCallback): void;
  abstract destroy(sid: string, callback?: SessionCallback): void;
  declare touch?: (sid: string, session: object, callback?: SessionCallback) => void;

  /** Ends the request's session, and begins a new one. */
  regenerate(req: SessionRequest, callback: SessionCallback): void {
    this.destroy(req.sessionID ?? "", (error) => {
      this.generate(req);
      callback(error);
    });
  }

  /** Reads a session as an object with the methods of `req.session`. */
  load(sid: string, callback: (error?: unknown, session?: Session) => void): void {
    this.get(sid, (error, found) => {
      if (error || !found) callback(error);
      else callback(null, this.createSession({ sessionID: sid, sessionStore: this }, found));
    });
  }

  /** Makes `req.session` of what is stored. */
  createSession(req: SessionRequest, found: StoredSession): Session {
    req.session = new Session(req, { ...found, cookie: reviveCookie(found.cookie) });
    return req.session;
  }
}

/** Makes a cookie of its stored settings. @throws TypeError if there are none. */
export function reviveCookie(stored: StoredSession["cookie"]): Cookie {
  const expires: unknown = stored.expires;
  const cookie = new Cookie(stored);
  if (typeof expires === "string") cookie.expires = new Date(expires);
  // Setting `expires` has computed it anew.
  cookie.originalMaxAge = stored.originalMaxAge;
  return cookie;
}

/** `session.MemoryStore`: keeps sessions as JSON in this process, as express-session's does. */
class PlainMemoryStore extends BaseStore {
  sessions: Record<string, string> = Object.create(null);

  #read(sid: string): StoredSession | undefined {
    const text = this.sessions[sid];
    if (text === undefined) return undefined;
    const found: StoredSession = JSON.parse(text);
    const expires = found.cookie?.expires;
    if (!expires || new Date(expires).getTime() > Date.now()) return found;
    delete this.sessions[sid];
    return undefined;
  }

  override get(sid: string, callback: ReadCallback): void {
    setImmediate(() => callback(null, this.#read(sid)));
  }

  override set(sid: string, session: object, callback?: SessionCallback): void {
    this.sessions[sid] = JSON.stringify(session);
    if (callback) setImmediate(callback);
  }

  override destroy(sid: string, callback?: SessionCallback): void {
    delete this.sessions[sid];
    if (callback) setImmediate(callback);
  }

  override touch = (sid: string, session: object, callback?: SessionCallback): void => {
    const found = this.#read(sid);
    if (found) this.sessions[sid] = JSON.stringify({ ...found, cookie: Reflect.get(session, "cookie") });
    if (callback) setImmediate(callback);
  };

  all(callback: (error: unknown, sessions?: Record<string, StoredSession>) => void): void {
    const found = Object.keys(this.sessions).flatMap((sid): [string, StoredSession][] => {
      const session = this.#read(sid);
      return session ? [[sid, session]] : [];
    });
    setImmediate(callback, null, Object.fromEntries(found));
  }

  length(callback: (error: unknown, length?: number) => void): void {
    this.all((_, sessions) => callback(null, Object.keys(Object(sessions)).length));
  }

  clear(callback?: SessionCallback): void {
    this.sessions = Object.create(null);
    if (callback) setImmediate(callback);
  }
}

/** Old stores inherit by `Store.call(this)`, which a class refuses. */
const callable = <T extends abstract new (...args: never[]) => object>(Class: T): T =>
  new Proxy(Class, { apply: () => undefined });

export type Store = BaseStore;
export const Store: typeof BaseStore = callable(BaseStore);
export type MemoryStore = PlainMemoryStore;
export const MemoryStore: typeof PlainMemoryStore = callable(PlainMemoryStore);
