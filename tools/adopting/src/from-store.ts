import type { Session } from "@sessions/core";
// From core and not from @sessions/adapter-node, whose declarations of `req.session` collide with
// @types/express-session.
import type { Adoption } from "@sessions/core/adapter-tools";
import { checkOption, createCall } from "@sessions/core/driver-tools";
import { createNotes, NOTE, NOTE_MS } from "./adopted-note.ts";
import { isNonEmpty, type OldCookieOptions, readOldCookie } from "./old-cookie.ts";
import { enqueue, PATIENCE_MS } from "./queue.ts";
import { signedIds } from "./signed-ids.ts";
import { fromCallback, getFrom, keepFor, type StoredSession, type StoreLike } from "./store-calls.ts";

/** The options of the functions that take over sessions from a store. */
interface FromStoreOptions<T extends object> {
  readonly store: StoreLike;
  readonly secret: string | readonly string[];
  readonly name?: string | undefined;
  readonly cookie?: OldCookieOptions | undefined;
  map(old: T, session: Session): unknown;
}

/** How a library with such a store writes its cookie. */
interface Library {
  /** The function that takes its sessions over, for messages. */
  readonly maker: string;
  /** The option that holds the cookie's name. */
  readonly option: string;
  /** The name of its cookie, if the application does not choose one. */
  readonly name: string;
  /** What comes before the signed id. */
  readonly prefix: string;
}

/** The result of looking up an old id in the store. */
interface Found<T> {
  readonly state: Adoption["state"];
  readonly successor?: string | undefined;
  readonly data?: T;
  /** The whole session, to be stored again. */
  readonly session?: StoredSession;
}

/** The most that a call of the old store can take; a slower store counts as down. */
const TIMEOUT_MS = 2000;

/** Takes over the sessions that a store with express-session's interface keeps, each once. The caller refuses unknown options. */
export function adoptFromStore<T extends object>(
  { maker, option, name: usual, prefix }: Library,
  options: FromStoreOptions<T>,
): (cookieHeader: string | undefined) => Promise<Adoption | undefined> {
  const { store, secret, name = usual, cookie = {}, map } = options;
  const [newest = "", ...older] = [secret].flat();
  const secrets = [newest, ...older];
  checkOption(typeof Object(store).get === "function", "store", "a store for express-session", typeof store);
  checkOption(secrets.every(isNonEmpty), "secret", "a non-empty string, or a list of them", typeof secret);
  const setCookies = [readOldCookie(maker, option, name, cookie)(name)];
  checkOption(typeof map === "function", "map", "a function", typeof map);

  const notes = createNotes(newest, older);
  const call = createCall({ driver: maker, timeout: TIMEOUT_MS, translate: () => undefined });
  /** The new session by the old id, until the response with the new cookie has ended. */
  const underWay = new Map<string, string>();

  /** Looks an old session up. The result has `data` if the session is live. */
  async function look(sid: string): Promise<Found<T>> {
    const found = await call(() => getFrom(store, sid));
    if (typeof found !== "object") return { state: "gone" };
    // A visitor may have written this key. Without a valid signature the session is neither adopted nor live.
    if (NOTE in found) {
      const note = notes.read(sid, Reflect.get(found, NOTE));
      return note ? { state: "adopted", ...note } : { state: "gone" };
    }
    // Stores return a plain object, or an instance of a class with the same keys.
    const { cookie: settings, ...data }: { cookie?: unknown } = found;
    const expires: unknown = Reflect.get(Object(settings), "expires");
    const expiry = isNonEmpty(expires) || expires instanceof Date ? new Date(expires) : null;
    const isOver = expiry !== null && expiry.getTime() <= Date.now();
    const session = { ...data, cookie: { originalMaxAge: null, ...Object(settings), expires: expiry } };
    // @fastify/session's MemoryStore returns its own object, whose symbols are not the application's. Not checked: the
    // type T is the claim of the application, as with express-session.
    const own = Object.fromEntries(Object.entries(data)) as T;
    return isOver ? { state: "gone" } : { state: "live", data: own, session };
  }

  async function end(sid: string, successor: string | undefined): Promise<boolean> {
    // Another process, or a logout, may have ended it since.
    if ((await look(sid)).state !== "live") return false;
    const note = notes.write(sid, successor);
    await call(() => keepFor(NOTE_MS, store, sid, { [NOTE]: note }));
    if (successor !== undefined) underWay.set(sid, successor);
    return true;
  }

  return async (cookieHeader) => {
    let result: Adoption | undefined;
    for (const sid of signedIds(cookieHeader, name, secrets, prefix)) {
      const { first, release } = enqueue(store, sid);
      let found: Found<T>;
      try {
        await call(() => first, PATIENCE_MS);
        found = await look(sid);
      } catch (error) {
        release();
        throw error;
      }
      const { state, successor, data, session } = found;
      result = {
        state,
        successor,
        underWay: successor !== undefined && underWay.get(sid) === successor,
        setCookies,
        stage: (session) => data && map(data, session),
        end: (by) => end(sid, by),
        undo: async () => {
          if (session) await call(() => fromCallback((done) => store.set(sid, session, done)));
        },
        release,
        delivered: () => underWay.delete(sid),
      };
      // Of several cookies the first one that names a session counts.
      if (state !== "gone") break;
      release();
    }
    return result;
  };
}
