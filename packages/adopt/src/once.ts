import { createHash } from "node:crypto";
import { enqueue, NOTE_MS, type OldCookieOptions, PATIENCE_MS, readOldCookie } from "@sessions/adopting";
import type { Driver, Session } from "@sessions/core";
import type { Adopt, Adoption } from "@sessions/core/adapter-tools";
import { checkOption, createCall } from "@sessions/core/driver-tools";

/** What the functions for sessions that lie in cookies, such as {@link adoptCookieSession}, have in common. */
export interface AdoptOnceOptions<T extends object = Record<string, unknown>> {
  /**
   * Remembers which cookies were taken over: one small record for each. It may be the manager's own driver. All processes
   * of the site need the same backend.
   */
  readonly driver: Driver;
  /** When the move ends. After it no old cookie is accepted, and the driver's records are expired. */
  readonly until: Date;
  /** The attributes of the old cookie, as far as they were given to the other library. */
  readonly cookie?: OldCookieOptions | undefined;
  /**
   * Stages the old session's data into a new session: calls `session.login()`, and fills its stores. It may stage
   * nothing if the old session holds nothing of value. A returned promise is awaited. An error is the request's error,
   * and leaves the old cookie as it was.
   *
   * @param old The application's data in the old session.
   * @param session The new session.
   */
  map(old: T, session: Session): unknown;
}

/** A cookie of the other library, whose signature is valid and which has not expired. */
export interface OldCookie {
  /** What the signature covers. The same for every spelling of the cookie that the other library accepts. */
  readonly signed: string;
  /** From this time on the other library refuses it, in epoch milliseconds; `Infinity` if it does not expire. */
  readonly expiresAt: number;
  /** The application's data; `undefined` if the cookie names a session that has ended. */
  readonly data: object | undefined;
}

/** A library that keeps its sessions in cookies. */
interface Library {
  /** The function that takes its sessions over, for messages. */
  readonly maker: string;
  /** The name of the cookie, and the option that holds it. */
  readonly name: string;
  readonly option: string;
  /** The names of all cookies that end. */
  readonly names: readonly string[];
  /** Reads the cookies of a request. It must cost no call of a backend if no signature is valid. */
  find(cookieHeader: string | undefined): OldCookie[] | Promise<OldCookie[]>;
}

/** The field of a record that tells when the cookie was taken over, and by which session. */
const FIELD = "adopt/by";
/** The most cookies of one request that are looked up. */
const MOST = 4;

/**
 * The id of the record for a cookie. A hash, so that the backend does not hold the cookie. It is of the kind that ids of
 * sessions are, and none of them: those are random, and a session's record has fields that this one lacks.
 */
const recordId = (...parts: readonly string[]): string =>
  createHash("sha256")
    .update(JSON.stringify(["@sessions/adopt", ...parts]))
    .digest("hex")
    .slice(0, 32);

/** Takes over the sessions of a library that keeps them in cookies. The driver remembers which ones it took. */
export function adoptOnce<T extends object>(
  { maker, name, option, names, find }: Library,
  { driver, until, cookie = {}, map }: AdoptOnceOptions<T>,
): Adopt {
  checkOption(typeof Object(driver).create === "function", "driver", "a driver", typeof driver);
  checkOption(until instanceof Date && !Number.isNaN(until.getTime()), "until", "a valid Date", until);
  const setCookies = names.map(readOldCookie(maker, option, name, cookie));
  checkOption(typeof map === "function", "map", "a function", typeof map);
  const end = until.getTime();
  const call = createCall({ driver: maker, timeout: PATIENCE_MS, translate: () => undefined });
  /** The new session by the record's id, until the response with the new cookie has ended. */
  const underWay = new Map<string, string>();

  async function look(id: string): Promise<Pick<Adoption, "state" | "successor">> {
    const record = await driver.load(id);
    const now = Date.now();
    if (!record || record.expiresAt <= now) return { state: "live", successor: undefined };
    const [at, successor] = record.fields.get(FIELD)?.split(" ") ?? [];
    if (Math.abs(now - Number(at)) < NOTE_MS) return { state: "adopted", successor: successor || undefined };
    return { state: "gone", successor: undefined };
  }

  /** Creates the record, which only one of several processes can. */
  async function spend(id: string, expiresAt: number, successor = ""): Promise<boolean> {
    const now = Date.now();
    const by = `${now} ${successor}`;
    // The clocks of other processes may be behind.
    const record = { expiresAt: Math.min(end, expiresAt) + NOTE_MS, fields: new Map([[FIELD, by]]) };
    let isOurs: boolean;
    try {
      isOurs = await driver.create(id, record, now);
    } catch (error) {
      // The record may have been created although the answer was lost.
      if ((await driver.load(id))?.fields.get(FIELD) !== by) throw error;
      isOurs = true;
    }
    if (isOurs && successor !== "") underWay.set(id, successor);
    return isOurs;
  }

  return async (cookieHeader) => {
    if (Date.now() >= end) return undefined;
    let result: Adoption | undefined;
    for (const { signed, expiresAt, data } of (await find(cookieHeader)).slice(0, MOST)) {
      const id = recordId(maker, name, signed);
      const { first, release } = enqueue(driver, id);
      let found: Pick<Adoption, "state" | "successor">;
      try {
        await call(() => first);
        found = data ? await look(id) : { state: "gone", successor: undefined };
      } catch (error) {
        release();
        throw error;
      }
      const { state, successor } = found;
      result = {
        state,
        successor,
        underWay: successor !== undefined && underWay.get(id) === successor,
        setCookies,
        // Not checked: the type T is the claim of the application, as with the other library.
        stage: (session) => map(data as T, session),
        end: (by) => spend(id, expiresAt, by),
        undo: async () => {
          await driver.destroy(id, Date.now());
        },
        release,
        delivered: () => underWay.delete(id),
      };
      // Of several cookies the first one that can be taken over counts.
      if (state !== "gone") break;
      release();
    }
    return result;
  };
}
