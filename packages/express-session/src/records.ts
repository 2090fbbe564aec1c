import type { StoredSession } from "@sessions/adopting";
import type { Driver, StoredRecord } from "@sessions/core";
import { endAllOf, listSessions, principalText } from "@sessions/whole-sessions";
import type { Adoption } from "./adoption.ts";
import {
  COOKIE_FIELD,
  changesBetween,
  decodeSession,
  type Encoded,
  encodeSession,
  LISTED,
  recordId,
  sessionFields,
} from "./layout.ts";

/** What the store knows of a session object that a request works with. */
export interface Held {
  readonly id: string;
  /** Its fields as they were last read or written; `undefined` before the first write of a new session. */
  seen: ReadonlyMap<string, string> | undefined;
  /** The principal as it was last read or written, and the one that the data told then. */
  principal: string | undefined;
  told: string | undefined;
  /** Whether its request destroyed it; a later session under the same id is a new one. */
  over: boolean;
}

/** A session as a request writes it. */
interface Written extends Encoded {
  readonly principal: string | undefined;
}

export const hold = (id: string): Held => ({
  id,
  seen: undefined,
  principal: undefined,
  told: undefined,
  over: false,
});

/** What a write says of the principal: nothing while the data tells the one that is stored, or none as before. */
function principalOfChange(
  { principal, told }: Held,
  wanted: string | undefined,
): { principal?: string | null } {
  if (wanted === principal) return {};
  if (wanted !== undefined) return { principal: wanted };
  return told === undefined ? {} : { principal: null };
}

/** Sessions as records of a driver. */
export interface Records {
  encode(session: object): Written;
  read(sid: string): Promise<{ held: Held; session: StoredSession } | undefined>;
  write(held: Held, written: Written): Promise<void>;
  touch(held: Held, written: Written): Promise<void>;
  destroy(sid: string): Promise<void>;
  destroyAll(principal: unknown): Promise<number>;
  clear(): Promise<void>;
}

export function createRecords(
  backend: Driver,
  idle: number,
  principalOf: (session: object) => string | undefined,
  old: Adoption | undefined,
): Records {
  /** What a write stores of a session. Made before the first await: later changes belong to the next write. */
  const encode = (session: object): Written => ({
    ...encodeSession(session),
    principal: principalOf(session),
  });

  /** Stores a session that was not read before: a new one, or one that the caller built to replace the stored one. */
  async function put(held: Held, written: Written, expiresAt: number, now: number): Promise<void> {
    const { id } = held;
    const { fields, principal } = written;
    if (expiresAt <= now) {
      await backend.destroy(id, now);
      return;
    }
    if (!(await backend.create(id, { expiresAt, fields, principal }, now))) {
      const record = await backend.load(id);
      if (record) learn(held, record);
      await backend.commit(
        id,
        {
          fields: changesBetween(held.seen ?? new Map(), fields),
          expiresAt,
          ...principalOfChange(held, principal),
        },
        now,
      );
    }
  }

  async function write(held: Held, written: Written): Promise<void> {
    const now = Date.now();
    const { fields, expiresAt = now + idle, principal } = written;
    if (held.seen) {
      const changes = { fields: changesBetween(held.seen, fields), expiresAt };
      // "gone" is no error here: the session has ended meanwhile, and stays ended.
      await backend.commit(held.id, { ...changes, ...principalOfChange(held, principal) }, now);
    } else await put(held, written, expiresAt, now);
    held.seen = fields;
    told(held, principal);
  }

  async function touch(held: Held, { fields, expiresAt, principal }: Written): Promise<void> {
    const now = Date.now();
    const cookie = new Map([...fields].filter(([name]) => name === COOKIE_FIELD));
    const before = new Map([...(held.seen ?? [])].filter(([name]) => name === COOKIE_FIELD));
    const changes = { fields: changesBetween(before, cookie), expiresAt: expiresAt ?? now + idle };
    // The data is as it was read. Its principal is new if the option is.
    await backend.commit(held.id, { ...changes, ...(held.seen && principalOfChange(held, principal)) }, now);
    told(held, principal);
  }

  /** Keeps what a write has told of the principal. */
  function told(held: Held, principal: string | undefined): void {
    held.principal =
      principalOfChange(held, principal).principal === null ? undefined : (principal ?? held.principal);
    held.told = principal;
  }

  /** Keeps what a record holds. Returns its session, if it is one. */
  function learn(
    held: Held,
    { fields, expiresAt, principal: stored }: StoredRecord,
  ): StoredSession | undefined {
    const session = decodeSession(fields, expiresAt);
    held.seen = sessionFields(fields);
    held.principal = stored;
    held.told = session && principalOf(session);
    return session;
  }

  async function read(sid: string): Promise<{ held: Held; session: StoredSession } | undefined> {
    const isLive = (record: StoredRecord | undefined): boolean =>
      record !== undefined && record.expiresAt > Date.now();
    const id = recordId(sid);
    const kept = await backend.load(id);
    const record = isLive(kept) ? kept : await old?.take(sid);
    if (!record || !isLive(record)) return undefined;
    const held = hold(id);
    const session = learn(held, record);
    return session && { held, session };
  }

  /** Ends a session by its record, so that it is not moved from the old store again. */
  async function end(id: string): Promise<boolean> {
    await old?.bar(id);
    return backend.destroy(id, Date.now());
  }

  async function destroyAll(principal: unknown): Promise<number> {
    const text = principalText(principal);
    // An undefined by mistake must not pass for "nobody had a session".
    if (text === undefined)
      throw new TypeError("destroyAll() needs a principal: a number, or a text of 1 to 255 bytes");
    await listSessions(backend, LISTED, text);
    await old?.barAll(text);
    return endAllOf(backend, LISTED, text, end);
  }

  return {
    encode,
    read,
    write,
    touch,
    async destroy(sid) {
      await end(recordId(sid));
      await old?.end(sid);
    },
    destroyAll,
    async clear() {
      await listSessions(backend, LISTED);
      await old?.barAll();
      for (const { id } of (await listSessions(backend, LISTED)).records) await end(id);
    },
  };
}
