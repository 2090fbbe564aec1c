import { Buffer } from "node:buffer";
import { hkdfSync } from "node:crypto";
import type { StoredSession } from "@sessions/adopting";
import { sign, signedIds, unsign } from "@sessions/adopting";
import { type CommitResult, type Driver, jsonCodec, SessionError, type SessionManager } from "@sessions/core";
import {
  createNamedSessions,
  dropLogin,
  type NamedSession,
  NameTakenError,
  type ResponseStage,
  type SessionControls,
  whenPending,
} from "@sessions/core/adapter-tools";
import { selfProvisioning } from "@sessions/core/driver-tools";
import { createPrincipals } from "@sessions/whole-sessions";
import { createMarks } from "../adoption.ts";
import { COOKIE_FIELD, decodeCookie, isDrift, PREFIX, recordId, sessionField, textsIn } from "../layout.ts";
import { destroyAllOf } from "./destroy-all.ts";
import { newId, type Settings } from "./options.ts";
import type { Session } from "./session.ts";
import { createTakeover } from "./takeover.ts";
import { cookieTextOf, textsOf } from "./texts.ts";
import { parsedWhenRead } from "./unread.ts";
import type { Keeper, Visit, Write, Written } from "./visit.ts";

/** The longest time between two writes that only move the expiry. */
const TOUCH_MS = 300_000;

/** The token of an id: who has the id can make it, and who has the database cannot. */
function tokenOf(sid: string) {
  let secret: Buffer | undefined;
  // Made when it is needed, for a new record: it takes longer than all else that a request does with its id.
  const half = (from: number): Buffer => {
    secret ??= Buffer.from(hkdfSync("sha256", sid, "", "@sessions/express-session", 32));
    return secret.subarray(from, from + 16);
  };
  return {
    id: recordId(sid),
    get family() {
      return half(0);
    },
    get generation() {
      return half(16);
    },
  };
}

/** Keeps sessions in a driver, one field for each key, and with the promises of core. */
export function overDriver(
  settings: Settings,
  driver: Driver,
): { sessions: SessionManager; keeper: (visit: Visit) => Keeper } {
  const { name, secrets, idle, saveUninitialized, setup, cookie } = settings;
  const principalOf = createPrincipals(settings.principal);
  const { path, domain } = typeof cookie === "function" ? {} : cookie;
  const named = createNamedSessions(
    // The middleware makes the cookie. Core's is for `clearCookie()`.
    { driver, idle, setup, cookie: { name, path, domain, secure: /^__/.test(name) } },
    {
      tokenOf,
      textOf: (sid) => (secrets[0] === undefined ? sid : sign(sid, secrets[0])),
      namesIn: (header) => signedIds(header ?? undefined, name, secrets),
      namesOf: (text) => [unsign(text, secrets) ?? text],
      // For sessions that belong to no request.
      newName: newId,
      isOurs: ({ fields }) => fields.has(COOKIE_FIELD),
      store: { name: PREFIX.slice(0, -1), codec: jsonCodec },
    },
  );

  const backend = setup === "auto" ? selfProvisioning(driver) : driver;
  const marks = settings.from && createMarks(backend, idle);
  const old = settings.from && marks && createTakeover(settings.from, named, marks, idle, principalOf);

  function keeper(visit: Visit): Keeper {
    let at: NamedSession | undefined;
    /** Another request has just put a session in place of the one that the cookie names: this one stores nothing. */
    let muted: NamedSession | undefined;
    let sid = "";
    /** The texts of the data and of the cookie as this request knows them to be stored. */
    let seen: ReadonlyMap<string, string> = new Map();
    let seenCookie: string | undefined;
    /** The principal of the data as it was read. */
    let readPrincipal: string | undefined;
    let onPending: (() => ResponseStage) | undefined;
    /** Whether a commit may have something to write or to send. */
    let isPending = true;
    const newSid = (): string => visit.newSid();

    const controls: SessionControls = {
      whenPending(then) {
        isPending = false;
        onPending = () => {
          isPending = true;
          return then();
        };
        if (at) whenPending(at.session, onPending);
      },
      dropLogin: () => at !== undefined && dropLogin(at.session),
      wasRead: () => true,
    };

    function use(one: NamedSession): NamedSession {
      at = one;
      sid = one.name;
      const { session } = one;
      const logout = session.logout.bind(session);
      // `req.session` goes on as the fresh session that core's is then.
      async function logoutBoth(): Promise<void> {
        await logout();
        // destroy() or regenerate() of `req.session` has come first.
        if (at !== one) return;
        forget(one);
        visit.begin(sid);
      }
      Object.defineProperty(session, "logout", { value: logoutBoth, configurable: true });
      if (onPending) whenPending(session, onPending);
      return one;
    }

    function forget({ name: now }: NamedSession): void {
      sid = now;
      seen = new Map();
      seenCookie = undefined;
      readPrincipal = undefined;
    }

    function current(): NamedSession {
      if (!at) throw new TypeError("The request has no session");
      return at;
    }

    function see(session: object, record: NamedSession["record"]): void {
      seen = textsOf(session);
      seenCookie = record?.fields.get(COOKIE_FIELD);
      readPrincipal = principalOf(session);
    }

    /** Whether the session has what only core's side of it knows of. */
    const hasMore = ({ session }: NamedSession): boolean =>
      session.principal !== undefined || session.storeNames().length > 0;

    /** Stages what changed. Returns `true` for a new session that has ended before it began. */
    function stage(
      one: NamedSession,
      { session, texts: all, seals, isExplicit, isModified }: Write,
    ): boolean {
      const { record } = one;
      const now = Date.now();
      const { text: cookieText, expiresAt: ends } = cookieTextOf(session.cookie);
      const expiresAt = ends ?? now + idle;
      // What begins after the headers, by a logout, can have no cookie.
      const isWanted = isExplicit || isModified || (seals && saveUninitialized);
      if (!record) {
        if (!isWanted && !hasMore(one)) return false;
        if (expiresAt <= now) return true;
      }
      let texts = all;
      if (one.fieldOf(COOKIE_FIELD) === undefined) {
        // Perhaps a login of another user has emptied the session: only what this request has set goes along.
        texts = new Map([...all].filter(([key, text]) => seen.get(key) !== text));
        forget(one);
      }
      const fields = changes(texts);
      const principal = principalFor(one, session);
      const life = session.cookie.originalMaxAge ?? idle;
      const isDue = !record || Math.abs(expiresAt - record.expiresAt) >= Math.min(TOUCH_MS, life / 10);
      const isOther =
        seenCookie === undefined
          ? isWanted && (isDue || fields.size > 0)
          : seenCookie !== cookieText && !isDrift(seenCookie, cookieText);
      if (isOther) fields.set(COOKIE_FIELD, cookieText);
      const isNews = fields.size > 0 || isDue || principal !== record?.principal;
      if (isNews && !one.stage({ fields, expiresAt, principal }) && isExplicit)
        throw new SessionError(
          "ERR_SESSION_HEADERS_SENT",
          "save() came after the response: a new session can get no cookie. Begin it before, or use saveUninitialized",
        );
      return false;
    }

    function changes(texts: ReadonlyMap<string, string>): Map<string, string | null> {
      const fields = new Map<string, string | null>();
      for (const [key, text] of texts) if (seen.get(key) !== text) fields.set(sessionField(key), text);
      for (const key of seen.keys()) if (!texts.has(key)) fields.set(sessionField(key), null);
      return fields;
    }

    function principalFor({ session: core }: NamedSession, session: Session): string | undefined {
      const wanted = principalOf(session);
      // What core's login() has set stays, unless the data said it and does not any more.
      return wanted ?? (readPrincipal === undefined ? core.principal : undefined);
    }

    async function commit(one: NamedSession, write: Write): Promise<Written> {
      const isOver = stage(one, write);
      // Without a commit the session goes on telling when it is written to.
      const { status, token, setCookie }: Partial<CommitResult> = !isPending
        ? {}
        : await one.session.commit({ seal: write.seals });
      const { record } = one;
      sid = one.name;
      const isStored = status !== "gone" && record !== undefined;
      if (isStored) {
        seen = write.texts;
        seenCookie = record.fields.get(COOKIE_FIELD);
        readPrincipal = principalOf(write.session);
      }
      // A cookie that has ended removes what the browser has.
      const removal = token === undefined ? setCookie : undefined;
      return { sid, isStored: isStored || isOver, more: isStored, removal };
    }

    return {
      async open(id) {
        const known = (await named.open(id, newSid)) ?? (await old?.takeOver(id, newSid));
        const one = known === "ended" ? undefined : known;
        const record = one?.record;
        if (!record) {
          muted = one;
          return undefined;
        }
        use(one);
        const found = decode(one, visit);
        see(found, record);
        return found;
      },

      begin(id) {
        const one = use(muted ?? named.create(id, newSid));
        // A session that the request begins by itself is as good as any.
        muted = undefined;
        forget(one);
        return sid;
      },

      async write(write) {
        const one = current();
        try {
          return await commit(one, write);
        } catch (error) {
          if (!(error instanceof NameTakenError)) throw error;
          // `genid` has returned the id of a session that there is: it gets the data of this one.
          const other = await named.open(sid, newSid);
          if (!other || other === "ended") throw error;
          use(other);
          see(decode(other, visit), other.record);
          return await commit(other, write);
        }
      },

      async end(successor) {
        const one = at;
        if (!one) return;
        const by = successor === one.name ? undefined : successor;
        await (old ? old.end(one, by) : one.end(by));
        at = undefined;
      },

      controls,

      get core() {
        return current().session;
      },
    };
  }

  function decode({ record }: NamedSession, visit: Visit): StoredSession {
    const { fields, expiresAt = 0 } = record ?? {};
    const texts = textsIn(fields ?? new Map());
    const cookie = fields && decodeCookie(fields, expiresAt);
    // core's side may have begun the session, without a cookie of its own.
    return Object.assign(parsedWhenRead(texts), { cookie: cookie ?? visit.newCookie() });
  }

  const destroyAll = destroyAllOf(named.sessions, backend, marks);
  return { sessions: { ...named.sessions, destroyAll }, keeper };
}
