import type { SessionCookie } from "../context/cookie.ts";
import type { StoreDefinition } from "../store/define-store.ts";
import type { Store } from "../store/store.ts";

/** Why the token that came was not accepted. */
export type Rejection = "malformed" | "signature" | "unknown" | "expired" | "reused";

/** How a commit ended. */
export type Status = "unchanged" | "committed" | "gone";

/** What a commit did, and what to send. */
export interface CommitResult {
  /**
   * `"gone"`: nothing was stored, because the session ended elsewhere, or because the request came with a token that
   * was ended a moment ago and must not overwrite a newer cookie.
   */
  readonly status: Status;
  /** For clients without cookies, to be given to `load`; only when it is new. A secret: never log it. */
  readonly token: string | undefined;
  /** A Set-Cookie header's value, if one is to be sent. Repeated by each commit until one is sealed. */
  readonly setCookie: string | undefined;
  /** The same as an object, for frameworks with a `cookies.set()`. */
  readonly cookie: SessionCookie | undefined;
}

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
   * Takes back everything that was staged since the last commit: changes of stores, `setExpiry()`, `login()` and
   * `rotate()`. What a commit has begun to write stays.
   */
  discard(): void;
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
