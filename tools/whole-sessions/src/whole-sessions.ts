import { createHash } from "node:crypto";
import type { Driver } from "@sessions/core";
import { fieldName, selfProvisioning } from "@sessions/core/driver-tools";
import { endAllOf, type Listed } from "./listing.ts";
import { principalText } from "./principals.ts";

type Fields = ReadonlyMap<string, string>;

/** A session's data, as the host has it. */
type Data = Readonly<Record<string, unknown>>;

/** What one request does with its session. It remembers what it has read, so that it writes only what it changed. */
export interface Visit {
  /** Returns the data, or `undefined` if there is no live session. */
  read(sid: string): Promise<Data | undefined>;
  /**
   * Stores the keys that changed since the session was read, and its principal. A session that ended meanwhile stays
   * ended: nothing is written then.
   *
   * @param expiresAt Epoch milliseconds.
   * @param principal `undefined`: none. It ends one that an earlier write has set.
   */
  write(sid: string, data: Data, expiresAt: number, principal: string | undefined): Promise<void>;
  /** Ends the session. */
  destroy(sid: string): Promise<void>;
}

/** The sessions of a host that reads and writes each of them as a whole. */
export interface WholeSessions {
  visit(): Visit;
  /** Ends all sessions of a principal, and returns how many there were. */
  destroyAll(principal: unknown): Promise<number>;
  exists(sid: string): Promise<boolean>;
}

/** The record's id: a hash, so that the visitor's id cannot be read from the backend. */
const recordId = (sid: string): string => createHash("sha256").update(sid).digest("hex").slice(0, 32);

/** What a visit knows of a session. */
interface Seen {
  readonly fields: Fields;
  readonly principal: string | undefined;
}

const isLive = <T extends { readonly expiresAt: number }>(record: T | undefined): record is T =>
  record !== undefined && record.expiresAt > Date.now();

/**
 * Keeps each top-level key of a session in a field of its own, as JSON.
 *
 * @param name The function that errors name.
 * @param prefix The fields' store: `"koa-session"`.
 */
export function createWholeSessions(
  driver: Driver,
  { name, prefix, setup }: { name: string; prefix: string; setup: "auto" | "manual" },
): WholeSessions {
  const backend = setup === "auto" ? selfProvisioning(driver) : driver;
  const begins = `${prefix}/`;
  /** Every session has it, also one without data, and no other record in the same backend has. */
  const mark = prefix;
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

  const dataOf = (fields: Fields): Data =>
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
    return {
      async read(sid) {
        const id = recordId(sid);
        const record = await load(id);
        if (!record) return undefined;
        seen.set(id, { fields: record.fields, principal: record.principal });
        return dataOf(record.fields);
      },

      async write(sid, data, expiresAt, principal) {
        const id = recordId(sid);
        const now = Date.now();
        const fields = fieldsOf(data);
        if (!seen.has(id)) {
          const isNew = await backend.create(id, { expiresAt, fields, principal }, now);
          // The host has given an id that is taken: as with every store, the session is replaced.
          if (!isNew) seen.set(id, { fields: (await load(id))?.fields ?? new Map(), principal: undefined });
        }
        const before = seen.get(id);
        if (before)
          // "gone" is no error: the session has ended meanwhile, and stays ended.
          await backend.commit(
            id,
            {
              fields: changes(before.fields, fields),
              expiresAt,
              ...(principal !== before.principal && { principal: principal ?? null }),
            },
            now,
          );
        seen.set(id, { fields, principal });
      },

      async destroy(sid) {
        await backend.destroy(recordId(sid), Date.now());
      },
    };
  }

  return {
    visit,
    destroyAll(principal) {
      const text = principalText(principal);
      // An undefined by mistake must not pass for "nobody had a session".
      if (text === undefined)
        throw new TypeError("destroyAll() needs a principal: a number, or a text of 1 to 255 bytes");
      return endAllOf(backend, listed, text, (id) => backend.destroy(id, Date.now()));
    },
    exists: async (sid) => (await load(recordId(sid))) !== undefined,
  };
}
