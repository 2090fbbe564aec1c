import type { Duration } from "../base/duration.ts";
import { checkOptions } from "../base/options.ts";
import type { Context } from "../context/context.ts";
import { COOKIE, cookieValues, formatCookie } from "../context/cookie.ts";
import { createEmitter, type SessionEvents } from "../context/events.ts";
import { readSettings, type SessionManagerOptions } from "../context/settings.ts";
import { isClosableDriver, isProvisionedDriver } from "../driver/abilities.ts";
import { createSession } from "../session/managed-session.ts";
import { loadSession, type OpenOptions, openSession } from "../session/open.ts";
import type { Session } from "../session/session.ts";
import { newState, type Opened } from "../session/state.ts";
import { parseToken } from "../token/token.ts";
import type { DestroyAllQuery, SessionInfo } from "./administration.ts";
import { destroy, exists, get, setExpiry, valid } from "./by-id.ts";
import { type SweepOptions, startSweeping } from "./sweeping.ts";

/**
 * Opens, creates, expires, lists and sweeps sessions; owns the cookie and every policy. Its methods reject with
 * `DriverUnavailableError` where the backend cannot be reached, and with `SessionSetupError` where it lacks its tables.
 */
export interface SessionManager {
  /** The session that a Cookie header names, or a new one, which is stored only once something is written. */
  open(cookieHeader: string | null | undefined, options?: OpenOptions): Promise<Session>;
  /** The same for a token that came another way (mobile app, websocket); `undefined` if it is not accepted. */
  load(token: string, options?: OpenOptions): Promise<Session | undefined>;
  /** A new session whose first commit stores it even if it is empty. */
  create(): Session;
  /**
   * A live session by id, without its token, for administration, and for websockets after the handshake. It reads and
   * commits; it never touches, rotates or returns a cookie. Never pass it an id that a visitor sent.
   */
  get(id: string): Promise<Session | undefined>;
  /** Whether a record is there; an expired one counts, one that a login, `rotate()` or logout ended does not. */
  exists(id: string): Promise<boolean>;
  /** Whether the session is live. */
  valid(id: string): Promise<boolean>;
  /**
   * Ends a session, if it is that principal's where one is named; `false` where there is no live one. A `TypeError` for
   * a principal that is `undefined`: a forgotten one must not end anybody's.
   */
  destroy(id: string, options?: { principal?: string | undefined }): Promise<boolean>;
  /** Moves and fixes a session's expiry, as `Session.setExpiry` does; `false` where there is no live one. */
  setExpiry(id: string, at: Date): Promise<boolean>;
  /**
   * Live sessions, all or one principal's. Rejects with `ERR_SESSION_UNSUPPORTED` where the driver cannot list, and with a
   * `TypeError` for a principal that is `undefined`: a forgotten one must not show everybody's.
   */
  list(query?: { principal?: string | undefined }): AsyncIterableIterator<SessionInfo>;
  /**
   * Logs out everywhere: ends every session of the principal (`except` one id), or everyone's, whose login was
   * acknowledged before the call, and returns how many. A session that begins over a minute later is left, so that the
   * call comes to an end on a busy site. A login meanwhile may or may not be ended: disable the account first. A
   * `TypeError` where neither a principal nor `everyone` is given, and `ERR_SESSION_UNSUPPORTED` where the driver cannot
   * list.
   */
  destroyAll(query: DestroyAllQuery): Promise<number>;
  /** Removes expired records in batches, and answers how many. A `TypeError` for a range that reaches live sessions. */
  sweep(range?: SweepOptions): Promise<number>;
  /** Sweeps in the background, about so often, and never keeps the process alive; answers what stops it. */
  startSweeping(options: { every: Duration }): () => void;
  /** Creates the backend's tables, indexes or folders; nothing where there are none. Safe to repeat. */
  setup(): Promise<void>;
  /** What is missing or wrong in the backend, one sentence each. */
  check(): Promise<string[]>;
  /** Removes the backend's tables, indexes or folders, and every session with them. */
  teardown(): Promise<void>;
  /** The first well-formed token of ours in a Cookie header, for applications that handle cookies themselves. */
  readToken(cookieHeader: string | null | undefined): string | undefined;
  /** A Set-Cookie header's value that removes the cookie. */
  clearCookie(): string;
  /** Tells a listener of what happens; answers what removes it. */
  on<E extends keyof SessionEvents>(event: E, listener: (event: SessionEvents[E]) => void): () => void;
  /** Stops sweeping, and closes what the driver opened itself. */
  close(): Promise<void>;
}

/** What goes through many sessions is loaded at its first use, because requests do not need it. */
const administration = () => import("./administration.ts");

/**
 * Makes the one manager of an application; everything has a default.
 * @throws SessionConfigError for an option that is unknown, out of range or contradicts another; it names the option.
 */
export function createSessionManager(options: SessionManagerOptions = {}): SessionManager {
  const settings = readSettings(options);
  const { driver, clock, cookie, keys } = settings;
  const { on, emit } = createEmitter();
  const context: Context = { settings, emit, codecs: new WeakMap(), sizes: { ticks: 0, known: new Map() } };
  const sweepings = new Set<() => Promise<void>>();
  const sweep: SessionManager["sweep"] = async (range) => (await administration()).sweep(context, range);

  return {
    ...{ [COOKIE]: cookie },
    on,
    open: (cookieHeader, openOptions) => openSession(context, cookieHeader, openOptions),
    load: (token, openOptions) => loadSession(context, token, openOptions),
    create() {
      const opened: Opened = { by: "token", touch: true, secure: false, at: clock() };
      return createSession(newState(context, opened, undefined, { kind: "fresh", storeEmpty: true }));
    },
    get: (id) => get(context, id),
    exists: (id) => exists(context, id),
    valid: (id) => valid(context, id),
    destroy: (id, options) => destroy(context, id, options),
    setExpiry: (id, at) => setExpiry(context, id, at),
    async *list(query) {
      yield* (await administration()).list(context, query);
    },
    destroyAll: async (query) => (await administration()).destroyAll(context, query),
    sweep,
    startSweeping(options) {
      checkOptions("sessions.startSweeping", options, ["every"]);
      const { every } = options;
      const stop = startSweeping(every, sweep, emit);
      sweepings.add(stop);
      return () => {
        // Until it has ended, close() waits for it.
        void stop().then(() => sweepings.delete(stop));
      };
    },
    async setup() {
      if (isProvisionedDriver(driver)) await driver.setup();
    },
    check: async () => (isProvisionedDriver(driver) ? driver.check() : []),
    async teardown() {
      if (isProvisionedDriver(driver)) await driver.teardown();
    },
    readToken: (cookieHeader) =>
      cookieValues(cookieHeader, cookie.name).find(
        (value) => typeof parseToken(value, cookie.name, keys) !== "string",
      ),
    clearCookie: () => formatCookie({ ...cookie, value: "", maxAge: 0 }),
    async close() {
      await Promise.all([...sweepings].map((stop) => stop()));
      sweepings.clear();
      if (isClosableDriver(driver)) await driver.close();
    },
  };
}
