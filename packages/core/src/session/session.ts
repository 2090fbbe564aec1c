import type { Duration } from "../base/duration.ts";
import type { SessionCookie } from "../context/cookie.ts";
import type { Rejection } from "../context/events.ts";
import type { StoreDefinition } from "../store/define-store.ts";
import type { Store } from "../store/store.ts";

/** How a commit ended. */
export type Status = "unchanged" | "committed" | "gone";

/** What a commit did, and the cookie to send. */
export interface CommitResult {
  /**
   * `"committed"`: the changes are stored. `"unchanged"`: there was nothing to store. `"gone"`: nothing was stored,
   * because another request ended the session, or because the request is muted (see `docs/architecture.md`).
   */
  readonly status: Status;
  /** A new token, for clients without cookies to pass to `sessions.load()`. It is a secret: never log it. */
  readonly token: string | undefined;
  /** The value of a Set-Cookie header, if there is one to send. Each commit repeats it until a sealed commit. */
  readonly setCookie: string | undefined;
  /** The same as an object, for frameworks with a `cookies.set()`. */
  readonly cookie: SessionCookie | undefined;
}

/** What one login may ask for: a shorter life than the manager's settings allow, and a name for the session. */
export interface LoginOptions {
  /**
   * How long the browser keeps the cookie: `"session"` until it closes, or at least 1 second. Periodic rotation and
   * `rotate()` keep it.
   * @default the manager's `cookie.maxAge`
   */
  maxAge?: "session" | Duration | undefined;
  /** The idle timeout of this session. @default the manager's `idle` */
  idle?: Duration | undefined;
  /** The absolute timeout of this session, from this login. @default the manager's `absolute` */
  absolute?: Duration | undefined;
  /**
   * A name for the session, for `list()` and `destroyAll()`, such as a device's name or the `sid` of an OpenID provider:
   * 1 to 255 bytes of well-formed text, without control characters.
   * @default none
   */
  label?: string | undefined;
}

/**
 * The session that one visitor's cookie names: an id, an expiry, an optional principal, and stores. Every change is
 * synchronous and staged until {@link Session.commit}, except {@link Session.logout}. An adapter commits for you.
 */
export interface Session {
  /** 32 hex characters, safe to log. The commit after a `login()` or `rotate()` gives the session a new id. */
  readonly id: string;
  /** `true` if no token came, or if the token was not accepted; see {@link Session.rejected}. */
  readonly isNew: boolean;
  /** When the session was created, or last logged in. */
  readonly createdAt: Date;
  /** From this time on the session is expired. */
  readonly expiresAt: Date;
  /** The user that the session belongs to since a {@link Session.login}; `undefined` before it. */
  readonly principal: string | undefined;
  /**
   * When the user last proved who they are: at the login, or at a {@link Session.reauthenticate} since. `undefined` for
   * a guest.
   */
  readonly authenticatedAt: Date | undefined;
  /** Why the token of the request was not accepted; `undefined` if it was accepted, or if none came. */
  readonly rejected: Rejection | undefined;
  /**
   * Returns an application's store, by name or by definition (`defineStore()`). A store needs no creation.
   * @throws TypeError The name is bad.
   * @example
   * const session = createSessionManager().create();
   * const cart = session.store<{ items: string[] }>("cart");
   * cart.update("items", (items = []) => [...items, "tea"]);
   */
  store<T extends object = Record<string, unknown>>(store: string | StoreDefinition<T>): Store<T>;
  /**
   * Returns the messages that an earlier request left under a name, oldest first, and deletes them: for a notice on the
   * page after a redirect. Messages are entries of the store `flash`, so they stay until a request reads them, survive a
   * login, and end with a logout. Two requests that overlap may both get a message.
   * @throws SessionCodecError A message cannot be decoded.
   * @example
   * const session = createSessionManager().create();
   * session.flash("notice", "Saved."); // before a redirect
   * const notices = session.flash("notice"); // on the next page: ["Saved."]
   */
  flash(name: string): unknown[];
  /**
   * Leaves a message for the next request that reads it. Several under one name are kept in order.
   * @param name 1 to 234 bytes of well-formed text.
   * @throws TypeError The name is bad, or the codec cannot carry the value.
   */
  flash(name: string, value: unknown): void;
  /** The names of the stores that have entries. */
  storeNames(): string[];
  /**
   * Logs a user in. The next commit creates a new session with a new id and secret, which takes over the stores, and
   * ends the old one (OWASP: session fixation). It does not take over the stores of another principal. If another
   * request ended the old session meanwhile, the new one takes over what this request has read.
   *
   * The options shorten the manager's timeouts for this session, so set the manager's to those of "remember me". The
   * record keeps them until the next login, and a lower setting of the manager still acts at once. A session's
   * `touchEvery` is at most a tenth of its own `idle`. The user should choose whether to be remembered (OWASP ASVS 5.0,
   * 7.1.1 and 7.3, ask for documented idle and absolute timeouts; NIST SP 800-63B-4, 2.1.3 and 2.2.3, for at most 30
   * days after a password, and 24 hours after two factors).
   * @param principal The user: 1 to 255 bytes of well-formed text, without control characters.
   * @throws TypeError The principal or label is bad, an option is more than the manager's, the session is from
   * `sessions.get()`, or a commit is under way.
   * @throws SessionConfigError An option is unknown, or no duration.
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`: the response's headers have gone out.
   * @example
   * export function onPasswordAccepted(session: Session, userId: string, remember: boolean): void {
   *   session.login(userId, remember ? {} : { maxAge: "session", idle: "30m", absolute: "12h" });
   * }
   */
  login(principal: string, options?: LoginOptions): void;
  /**
   * Logs out. Ends the session in the backend at once and drops what was staged. Afterwards this object is a fresh,
   * empty session. To log a user out on every device, use `sessions.destroyAll()`.
   * @throws DriverUnavailableError The backend cannot be reached. The session may not have ended.
   * @example
   * const session = createSessionManager().create();
   * await session.logout();
   */
  logout(): Promise<void>;
  /**
   * Gives the session a new id and secret at the next commit, for a change of privilege. If the user has just given a
   * password or a second factor, call {@link Session.reauthenticate} instead. Does nothing if the session is
   * not stored yet.
   * @throws TypeError The session is from `sessions.get()`, or a commit is under way.
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`: the response's headers have gone out.
   * @example
   * export function onSecondFactorAccepted(session: Session): void {
   *   session.rotate();
   *   session.store<{ strong: boolean }>("auth").set("strong", true);
   * }
   */
  rotate(): void;
  /**
   * Notes that the user has just proved again who they are, with a password or a second factor. The next commit gives
   * the session a new id and secret, as `rotate()` does (OWASP ASVS 5.0, 7.2.4), and {@link Session.authenticatedAt} is
   * now. `createdAt` and the absolute timeout stay. For a new absolute timeout, log the same user in again.
   * @throws TypeError The session has no user, is from `sessions.get()`, or a commit is under way.
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`: the response's headers have gone out.
   * @example
   * export function onPasswordConfirmed(session: Session): void {
   *   session.reauthenticate();
   * }
   */
  reauthenticate(): void;
  /**
   * Returns whether the user proved who they are less than `time` ago; `false` for a guest. Ask for the password again
   * where it is `false`, before a change of password or address, or a payment (OWASP ASVS 5.0, 7.5.1 and 7.5.3).
   * @throws SessionConfigError `time` is no duration.
   * @example
   * export const pathToPay = (session: Session): string =>
   *   session.authenticatedWithin("10m") ? "/pay" : "/confirm-password?to=/pay";
   */
  authenticatedWithin(time: Duration): boolean;
  /**
   * Fixes the expiry: use does not move it until the next login or `setExpiry()`. The expiry is never later than the
   * absolute timeout. A date in the past ends the session.
   * @throws TypeError The date is invalid.
   * @example
   * const session = createSessionManager().create();
   * session.setExpiry(new Date(Date.now() + 10 * 60_000)); // in ten minutes
   */
  setExpiry(at: Date): void;
  /**
   * Drops everything that was staged since the last commit: changes of stores, `setExpiry()`, `login()` and `rotate()`.
   * Keeps what a commit has begun to write.
   * @example
   * const session = createSessionManager().create();
   * session.store<{ draft: string }>("form").set("draft", "…");
   * session.discard();
   */
  discard(): void;
  /**
   * Writes what changed since the last commit, once. If it rejects, it has discarded what was staged, and commits that
   * were called meanwhile reject with the same error.
   *
   * @param options `seal: true` means that the headers go out now. Afterwards `login()` and `rotate()` throw
   * `ERR_SESSION_HEADERS_SENT`, and so does a first write to a session for which the client has no cookie.
   * @throws DriverUnavailableError The backend cannot be reached. The changes may or may not be stored.
   * @throws SessionTooLargeError The session would exceed `maxBytes`.
   * @throws SessionConflictError Other requests changed the session again and again.
   * @throws SessionSetupError The backend lacks a table, an index or a folder.
   * @throws TypeError A value was mutated into one that the codec cannot carry.
   * @example
   * const session = createSessionManager().create();
   * session.store<{ count: number }>("visits").set("count", 1);
   * const { status, setCookie } = await session.commit({ seal: true });
   * const headers = new Headers(setCookie === undefined ? {} : { "Set-Cookie": setCookie });
   */
  commit(options?: { seal?: boolean | undefined }): Promise<CommitResult>;
}

/**
 * Returns whether a user is logged in, and tells the compiler.
 * @example
 * export function ownerOf(session: Session): string {
 *   if (!isLoggedIn(session)) throw new Error("Please log in");
 *   return session.principal; // string
 * }
 */
export const isLoggedIn = (session: Session): session is Session & { readonly principal: string } =>
  session.principal !== undefined;
