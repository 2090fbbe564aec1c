import { createHash } from "node:crypto";
import type { Driver } from "@sessions/core";
import { fieldName, selfProvisioning } from "@sessions/core/driver-tools";
import { endAllOf, type Listed, listSessions } from "./listing.ts";
import { principalText } from "./principals.ts";

type Fields = ReadonlyMap<string, string>;

/** A session's data, as the host has it. */
type Data = Readonly<Record<string, unknown>>;
/** What JSON gives back. `null` is left out, as the hosts' types do. */
type ReadData = Record<string, string | number | boolean | object>;

/** What one request does with its session. It remembers what it has read, so that it writes only what it changed. */
export interface Visit {
  /** Returns the data, or `undefined` if there is no live session. */
  read(sid: string): Promise<ReadData | undefined>;
  /**
   * Stores the keys that changed since the session was read, and its principal. A session that ended meanwhile stays
   * ended: nothing is written then. If it gets a new id at that moment, the new session has only what this request
   * changed, and no session begins without a change.
   *
   * @param expiresAt Epoch milliseconds.
   * @param principal `null`: none from now on. `undefined`: as before.
   * @returns Whether there is such a session now.
   */
  write(sid: string, data: Data, expiresAt: number, principal?: string | null): Promise<boolean>;
  /** Moves the expiry, if it is at least `every` milliseconds later than the one that was read. */
  touch(sid: string, expiresAt: number, every: number): Promise<void>;
  /** Ends the session. Returns whether it was live. */
  destroy(sid: string): Promise<boolean>;
}

/** The sessions of a host that reads and writes each of them as a whole. */
export interface WholeSessions {
  visit(): Visit;
  /** By the id of a record. It opens no session, so it may be shown. */
  readonly records: {
    list(principal: unknown): Promise<{ id: string; data: ReadData }[]>;
    read(id: string): Promise<ReadData | undefined>;
    destroy(id: string): Promise<boolean>;
    /** Returns whether there is such a session. */
    setPrincipal(id: string, principal: string | null): Promise<boolean>;
  };
  /** Ends all sessions of a principal, and returns how many there were. */
  destroyAll(principal: unknown): Promise<number>;
  exists(sid: string): Promise<boolean>;
}

interface WholeSessionsOptions {
  /** The function that errors name. */
  readonly name: string;
  /** The fields' store: `"koa-session"`. */
  readonly prefix: string;
  readonly setup: "auto" | "manual";
  /** The keys that the host adds to the application's data. They alone begin no session. */
  readonly hostKeys?: readonly string[];
}

/** The record's id: a hash, so that the visitor's id cannot be read from the backend. */
export const recordId = (sid: string): string => createHash("sha256").update(sid).digest("hex").slice(0, 32);

/** What a visit knows of a session. */
interface Seen {
  readonly fields: Fields;
  readonly principal: string | undefined;
  readonly expiresAt: number;
}

const isLive = <T extends { readonly expiresAt: number }>(record: T | undefined): record is T =>
  record !== undefined && record.expiresAt > Date.now();

/** Keeps each top-level key of a session in a field of its own, as JSON. */
export function createWholeSessions(
  driver: Driver,
  { name, prefix, setup, hostKeys = [] }: WholeSessionsOptions,
): WholeSessions {
  const backend = setup === "auto" ? selfProvisioning(driver) : driver;
  const begins = `${prefix}/`;
  /** Every session has it, also one without data, and no other record in the same backend has. */
  const mark = prefix;
  const hostFields = new Set([mark, ...hostKeys.map((key) => fieldName(begins, key))]);
  const listed: Listed = { name, isOurs: ({ fields }) => fields.has(mark) };

  function fieldsOf(data: Data): Fields {
    const fields = new Map([[mark, "1"]]);
    for (const [key, value] of Object.entries(data)) {
      // JSON.stringify returns undefined for functions, symbols and undefined.
      const text: string | undefined = JSON.stringify(value);
      if (text !== undefined) fields.set(fieldName(begins, key), text);
    }
    return fields;
  }

  const dataOf = (fields: Fields): ReadData =>
    Object.fromEntries(
      [...fields]
        .filter(([field]) => field.startsWith(begins))
        .map(([field, text]) => [decodeURIComponent(field.slice(begins.length)), JSON.parse(text)]),
    );

  function changes(before: Fields, after: Fields): Map<string, string | null> {
    const patch = new Map<string, string | null>();
    for (const [field, text] of after) if (before.get(field) !== text) patch.set(field, text);
    for (const field of before.keys())
      if (field.startsWith(begins) && !after.has(field)) patch.set(field, null);
    return patch;
  }

  const load = async (id: string) => {
    const record = await backend.load(id);
    return isLive(record) && record.fields.has(mark) ? record : undefined;
  };

  function visit(): Visit {
    const seen = new Map<string, Seen>();
    /** What was read of a session that somebody else had ended before this request did. */
    let lost: Seen | undefined;

    /** What a new session begins with; `undefined` if none may begin. */
    function beginning(fields: Fields): Fields | undefined {
      if (!lost) return fields;
      const before = lost.fields;
      const changed = [...fields].filter(
        ([field, text]) => !hostFields.has(field) && before.get(field) !== text,
      );
      const hosts = [...fields].filter(([field]) => hostFields.has(field));
      return changed.length > 0 ? new Map([...hosts, ...changed]) : undefined;
    }

    return {
      async read(sid) {
        const id = recordId(sid);
        const record = await load(id);
        if (!record) return undefined;
        const { fields, principal, expiresAt } = record;
        seen.set(id, { fields, principal, expiresAt });
        return dataOf(fields);
      },

      async write(sid, data, expiresAt, principal) {
        const id = recordId(sid);
        const now = Date.now();
        const fields = fieldsOf(data);
        let owner = principal ?? undefined;
        let before = seen.get(id);
        if (!before) {
          const begun = beginning(fields);
          if (!begun) return false;
          if (owner === lost?.principal) owner = undefined;
          const isNew = await backend.create(id, { expiresAt, fields: begun, principal: owner }, now);
          // The host has given an id that is taken: as with every store, the session is replaced.
          if (!isNew) before = { fields: new Map(), expiresAt: 0, principal: undefined, ...(await load(id)) };
        }
        if (before) {
          if (principal === undefined) owner = before.principal;
          const isOther = owner !== before.principal;
          const change = { fields: changes(before.fields, fields), expiresAt };
          const outcome = await backend.commit(id, { ...change, ...(isOther && { principal }) }, now);
          if (outcome === "gone") return false;
        }
        seen.set(id, { fields, principal: owner, expiresAt });
        return true;
      },

      async touch(sid, expiresAt, every) {
        const id = recordId(sid);
        const before = seen.get(id);
        if (!before || expiresAt - before.expiresAt < every) return;
        await backend.commit(id, { fields: new Map(), expiresAt }, Date.now());
        seen.set(id, { ...before, expiresAt });
      },

      async destroy(sid) {
        const id = recordId(sid);
        const wasLive = await destroy(id);
        lost = wasLive ? undefined : seen.get(id);
        return wasLive;
      },
    };
  }

  function checked(principal: unknown): string {
    const text = principalText(principal);
    // An undefined by mistake must not pass for "nobody had a session".
    if (text === undefined)
      throw new TypeError(`${name}: a user must be a number, or a text of 1 to 255 bytes`);
    return text;
  }

  const destroy = (id: string): Promise<boolean> => backend.destroy(id, Date.now());

  return {
    visit,
    records: {
      async list(principal) {
        const { records } = await listSessions(backend, listed, checked(principal));
        return records.map(({ id, fields }) => ({ id, data: dataOf(fields) }));
      },
      async read(id) {
        const record = await load(id);
        return record && dataOf(record.fields);
      },
      destroy,
      async setPrincipal(id, principal) {
        const change = { fields: new Map<string, string>(), principal };
        return (await backend.commit(id, change, Date.now())) !== "gone";
      },
    },
    destroyAll: async (principal) => endAllOf(backend, listed, checked(principal), destroy),
    exists: async (sid) => (await load(recordId(sid))) !== undefined,
  };
}
