import type { ServerResponse } from "node:http";
import { type Committing, holdBackFor, type Sealed } from "@sessions/adapter-node/hold-back";
import type { StoredSession } from "@sessions/adopting";
import { sign } from "@sessions/adopting";
import type { Session as CoreSession } from "@sessions/core";
import { CONTROLS, type SessionControls } from "@sessions/core/adapter-tools";
import { Cookie } from "./cookie.ts";
import type { Settings } from "./options.ts";
import { isSecure, type Request } from "./request.ts";
import { operate, Session } from "./session.ts";
import { reviveCookie } from "./stores.ts";
import { textsOf } from "./texts.ts";

/** Where the sessions of one request are kept: in a driver, or in a store of express-session. */
export interface Keeper {
  /** Reads a session; `undefined` if there is none. */
  open(sid: string): Promise<StoredSession | undefined>;
  /** Begins a session that is not stored yet. Returns its id. */
  begin(sid: string): string;
  /** Writes what changed, and returns how that ended. */
  write(write: Write): Promise<Written>;
  /** Ends the session. `successor` is the id of the one that takes its place. */
  end(successor?: string): Promise<void>;
  /** core's session of the same record. */
  readonly core: CoreSession;
  /** What tells a response that core's session was written to; `undefined` for a store. */
  readonly controls: SessionControls | undefined;
}

/** What a {@link Keeper} writes. */
export interface Write {
  readonly session: Session;
  readonly texts: ReadonlyMap<string, string>;
  /** The headers go out now. */
  readonly seals: boolean;
  /** `save()` was called. */
  readonly isExplicit: boolean;
  /** The data is not what the request began with. */
  readonly isModified: boolean;
}

export interface Written {
  /** The session's id, which is another one after a `login()`. */
  readonly sid: string;
  /** The session is stored: the visitor may have its cookie. */
  readonly isStored: boolean;
  /** It can be written to when the headers are out. */
  readonly more: boolean;
  /** A `Set-Cookie` header that removes the cookie, after a `logout()` of core's session. */
  readonly removal?: string | undefined;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** One request, its session, and its response, which waits for the session. */
export class Visit implements Committing {
  readonly #settings: Settings;
  readonly #keeper: Keeper;
  readonly #req: Request;
  /** The id in the cookie that came, if it names a session. */
  #cookieSid: string | undefined;
  #sid = "";
  /** The texts of the data at the beginning, and at the last write. */
  #original: { sid: string; texts: ReadonlyMap<string, string> } = { sid: "", texts: NONE };
  #written: ReadonlyMap<string, string> = NONE;
  /** Writes, `destroy()` and the others run one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: Settings, keeper: (visit: Visit) => Keeper, req: Request) {
    this.#settings = settings;
    this.#req = req;
    this.#keeper = keeper(this);
    // By this the response knows of writes to core's session that come late.
    Reflect.set(this, CONTROLS, this.#keeper.controls);
  }

  get core(): CoreSession {
    return this.#keeper.core;
  }

  newSid(): string {
    return this.#settings.genid(this.#req);
  }

  /** Opens the first of these ids that names a session, or begins a new session; then holds the response back. */
  async open(sids: readonly string[], res: ServerResponse, next: (error?: unknown) => void): Promise<void> {
    const [first] = sids;
    for (const sid of sids) {
      const found = await this.#keeper.open(sid);
      if (!found) continue;
      this.#cookieSid = sid;
      this.#inflate(sid, found);
      break;
    }
    if (this.#cookieSid === undefined) {
      this.#cookieSid = first;
      this.generate();
    }
    if (res.headersSent !== undefined) holdBackFor(res, this, next);
    // The handshake of a WebSocket: Socket.IO's `engine.use` gives an object that takes headers, and waits only here.
    // Others give an empty one.
    else if (typeof res.setHeader === "function") {
      const { setCookies } = await this.seal();
      if (setCookies.length > 0) res.setHeader("Set-Cookie", setCookies);
    }
  }

  /** Begins a new session, in place of the one in `req.session`. */
  generate(sid: string = this.newSid()): void {
    this.begin(this.#keeper.begin(sid));
  }

  /** A cookie as the options say. */
  newCookie(): Cookie {
    const { cookie: given, proxy } = this.#settings;
    const req = this.#req;
    const cookie = new Cookie(typeof given === "function" ? given(req) : given);
    if (cookie.secure === "auto") cookie.secure = isSecure(req, proxy);
    if (cookie.sameSite === "auto") cookie.sameSite = isSecure(req, proxy) ? "none" : "lax";
    return cookie;
  }

  /** Puts an empty object into `req.session`. */
  begin(sid: string): void {
    const req = this.#req;
    req.sessionID = sid;
    const session = new Session(req);
    session.cookie = this.newCookie();
    this.#install(session, sid);
    this.#original = { sid, texts: NONE };
    this.#written = NONE;
  }

  #inflate(sid: string, found: StoredSession): void {
    const req = this.#req;
    req.sessionID = sid;
    const session = new Session(req, found);
    session.cookie = reviveCookie(found.cookie);
    this.#install(session, sid);
    const texts = textsOf(session);
    this.#original = { sid, texts };
    this.#written = texts;
  }

  #install(session: Session, sid: string): void {
    this.#sid = sid;
    this.#req.session = session;
    operate(session, {
      save: () => this.#run(async () => void (await this.#write(session, false, true))),
      reload: () => this.#run(() => this.#reload()),
      destroy: () => {
        const remove = (): void => {
          this.#req.session = undefined;
          Reflect.deleteProperty(this.#req, "session");
        };
        remove();
        return this.#run(async () => {
          await this.#keeper.end();
          // A regenerate() that was under way has put a session there, which has ended now too.
          remove();
        });
      },
      regenerate: () => this.#run(() => this.#regenerate()),
    });
  }

  #run<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #reload(): Promise<void> {
    const { texts } = this.#original;
    const found = await this.#keeper.open(this.#sid);
    if (!found) throw new Error("failed to load session");
    this.#inflate(this.#sid, found);
    // What this request has changed so far still counts as a change, for the cookie.
    this.#original = { sid: this.#original.sid, texts };
  }

  async #regenerate(): Promise<void> {
    const sid = this.newSid();
    try {
      await this.#keeper.end(sid);
    } finally {
      this.generate(sid);
    }
  }

  async #write(session: Session, seals: boolean, isExplicit: boolean): Promise<Written> {
    const texts = textsOf(session);
    const { sid, texts: before } = this.#original;
    const isModified = sid !== this.#sid || !isSame(texts, before);
    const written = await this.#keeper.write({ session, texts, seals, isExplicit, isModified });
    this.#written = texts;
    if (written.sid !== this.#sid) {
      this.#sid = written.sid;
      this.#req.sessionID = written.sid;
      Object.defineProperty(session, "id", { value: written.sid, configurable: true });
    }
    return written;
  }

  /** The headers go out. */
  seal(): Promise<Sealed> {
    return this.#run(async () => {
      const { unset, rolling, proxy, secrets, name } = this.#settings;
      const req = this.#req;
      const { session } = req;
      const nothing = { setCookies: [], more: false };
      if (typeof req.sessionID !== "string") return nothing;
      if (!session) {
        if (unset === "destroy") await this.#keeper.end();
        return nothing;
      }
      if (!(session instanceof Session))
        throw new TypeError(
          "req.session is an object of your own. Set properties of req.session, or call req.session.regenerate()",
        );
      session.touch();
      const { isStored, more, removal } = await this.#write(session, true, false);
      const { cookie } = session;
      if (isStored && !cookie.secure && isSecure(req, proxy)) warnInsecure(name);
      const isKnown = this.#cookieSid === this.#sid;
      const isModified = !isSame(this.#written, this.#original.texts);
      // `cookie.expires = false` makes a cookie that lasted end with the browser.
      const hasExpiry = (cookie.expires ?? null) !== null;
      const sends = isKnown ? rolling || (hasExpiry && isModified) : true;
      if (removal !== undefined) return { setCookies: [removal], more };
      if (!isStored || !sends || (cookie.secure && !isSecure(req, proxy)))
        return { setCookies: [], more: more && isKnown };
      const [secret = ""] = req.secret && secrets.length === 0 ? [req.secret] : secrets;
      return { setCookies: [cookie.serialize(name, sign(this.#sid, secret))], more };
    });
  }

  /** The headers are out: stores what was changed since. */
  commit(): Promise<void> {
    return this.#run(async () => {
      const { session, sessionID } = this.#req;
      if (!(session instanceof Session) || typeof sessionID !== "string") return;
      if (this.#keeper.controls || !isSame(textsOf(session), this.#written))
        await this.#write(session, false, false);
    });
  }
}

let isWarned = false;

/** Warns once: browsers send such a cookie over plain http too. */
function warnInsecure(name: string): void {
  if (isWarned) return;
  isWarned = true;
  process.emitWarning(
    `session: the cookie ${name} lacks Secure over https. Set cookie.secure to true or "auto"`,
  );
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, text] of a) if (b.get(key) !== text) return false;
  return true;
}
