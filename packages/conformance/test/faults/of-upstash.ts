import { isSessionError } from "@sessions/core";
import type { Line } from "../simple-driver.ts";
import { counts, type Row } from "../simple-driver.ts";
import { outage } from "./away.ts";
import { type Fault, fault } from "./fault.ts";
import { beside, renamed, spoilt } from "./wrap.ts";

/** A request that is aborted has a result of its own, which is none of the command's. */
const aborted = async <T>(line: Line, call: () => Promise<T>, result: T): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    if (!line.up || !isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
    return result;
  }
};

const written = beside(() => new Map<string, { by: object; before: number }>());
const principals = beside(() => new Map<string, { by: object; before: string | undefined }>());
const SECOND = 1_000;

/** What a driver over Upstash's REST interface does wrong: parsing, retries, replicas, limits. */
export const upstashFaults: Fault[] = [
  outage("a destroy that was aborted has a result that is not 1, and so is false", (sound, line) => ({
    destroy: (id, now) => aborted(line, () => sound.destroy(id, now), false),
  })),
  outage("a create that was aborted has a result that is not OK, and so is false", (sound, line) => ({
    create: (id, record, now) => aborted(line, () => sound.create(id, record, now), false),
  })),
  outage("a sweep whose answer was lost is sent again, and finds nothing", (sound, line) => ({
    async sweep(range) {
      try {
        return await sound.sweep(range);
      } catch (error) {
        if (!line.up) throw error;
        return sound.sweep(range);
      }
    },
  })),
  outage("a listing whose answer was lost goes on with what its cursor would have been", (sound, line) => ({
    async list(query, now) {
      try {
        return await sound.list(query, now);
      } catch (error) {
        if (!line.up || query.principal === undefined) throw error;
        return { records: [], cursor: "z" };
      }
    },
  })),
  fault("R10", "a touch shows to another driver only at its second load, from a replica", (rows, sound) => {
    const touches = written(rows);
    const me = {};
    return {
      async commit(id, change, now) {
        const before = rows.get(id)?.expiresAt;
        const outcome = await sound.commit(id, change, now);
        touches.delete(id);
        if (
          outcome === "committed" &&
          before !== undefined &&
          change.expiresAt !== undefined &&
          !counts(change)
        )
          touches.set(id, { by: me, before });
        return outcome;
      },
      async load(id) {
        const record = await sound.load(id);
        const late = touches.get(id);
        if (!record || !late || late.by === me) return record;
        touches.delete(id);
        return { ...record, expiresAt: late.before };
      },
    };
  }),
  fault(
    "R10",
    "another driver's login shows in the listing only at the second look, from a replica",
    (rows, sound) => {
      const logins = principals(rows);
      const me = {};
      return {
        async commit(id, change, now) {
          const before = rows.get(id)?.principal;
          const outcome = await sound.commit(id, change, now);
          if (outcome === "committed" && typeof change.principal === "string" && before !== change.principal)
            logins.set(id, { by: me, before });
          return outcome;
        },
        async list(query, now) {
          const page = await sound.list(query, now);
          const records = page.records.filter(({ id }) => {
            const late = logins.get(id);
            const hidden = query.principal !== undefined && late !== undefined && late.by !== me;
            if (hidden) logins.delete(id);
            return !hidden;
          });
          return { ...page, records };
        },
      };
    },
  ),
  fault("R1", "a life of less than a second is EX 0, and nothing is stored", (rows, sound) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      if (created && record.expiresAt - now < SECOND) rows.delete(id);
      return created;
    },
  })),
  fault("R4", "an expiry less than a second away is EXPIRE 0, and removes the record", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const at = change.expiresAt;
      if (outcome === "committed" && at !== undefined && at > now && at - now < SECOND) rows.delete(id);
      return outcome;
    },
  })),
  fault("R8", "the keys of a sweep are one request, of which 50 are taken", (rows, sound) => ({
    async sweep(range) {
      const before = new Map<string, Row>(rows);
      const swept = await sound.sweep(range);
      const removed = [...before].filter(([id]) => !rows.has(id));
      for (const [id, row] of removed.slice(50)) rows.set(id, row);
      return swept;
    },
  })),
  spoilt("a text is a part of a path, and two dots are a step up", (text) =>
    text === ".." || text === "." ? "" : text,
  ),
  spoilt("a text is a part of an address, and ends at its first #", (text) => text.split("#")[0] ?? ""),
  spoilt("a text is a part of an address, and ends at its first ?", (text) => text.split("?")[0] ?? ""),
  renamed("a name that JSON reads as a number comes back as that number", (name) =>
    /^[1-9]\d*e\d+\//.test(name) ? name.replace(/^[^/]+/, (digits) => String(Number(digits))) : name,
  ),
];
