import type { Change, ListingDriver, NewRecord, StoredRecord } from "@sessions/core";
import { createCall } from "@sessions/core/driver-tools";
import type { Line } from "./simple-driver.ts";

/** What a key of the backend holds. No two writes have the same revision. */
interface Held {
  readonly revision: number;
  readonly record: StoredRecord;
}

/** The simplest backend that many processes can share: it writes a key if that still has a revision. */
export interface Backend {
  get(id: string): Promise<Held | undefined>;
  /** Writes, or deletes where `record` is undefined. Returns false, and does nothing, if the revision is another one. */
  put(id: string, record: StoredRecord | undefined, revision: number | undefined): Promise<boolean>;
  all(): Promise<[string, Held][]>;
}

/** A backend in this process, `ms` away. While the line is cut, nothing that is sent over it has an answer. */
export function distantBackend(ms: number, line: Line): Backend {
  const keys = new Map<string, Held>();
  let revisions = 0;
  const never = new Promise<never>(() => {});
  const way = () => (line.up ? new Promise((resolve) => setTimeout(resolve, ms)) : never);
  /** The way of what has been done: one answer may be lost. */
  const back = async <T>(answer: T): Promise<T> => {
    const lost = line.drop;
    line.drop = false;
    return lost ? never : answer;
  };
  return {
    async get(id) {
      await way();
      return back(keys.get(id));
    },
    async put(id, record, revision) {
      await way();
      if (keys.get(id)?.revision !== revision) return back(false);
      if (record) keys.set(id, { revision: ++revisions, record });
      else keys.delete(id);
      return back(true);
    },
    async all() {
      await way();
      return back([...keys]);
    },
  };
}

const isLive = (held: Held | undefined, now: number): held is Held =>
  held !== undefined && held.record.expiresAt > now;

const copyOf = ({ fields, ...rest }: StoredRecord): StoredRecord => ({ ...rest, fields: new Map(fields) });

function changed({ version, expiresAt, principal, fields }: StoredRecord, change: Change): StoredRecord {
  const counts = change.fields.size > 0 || change.principal !== undefined || change.ifVersion !== undefined;
  const merged = new Map(fields);
  for (const [name, text] of change.fields)
    if (text === null) merged.delete(name);
    else merged.set(name, text);
  const owner = change.principal === undefined ? principal : (change.principal ?? undefined);
  return {
    version: version + (counts ? 1 : 0),
    expiresAt: change.expiresAt ?? expiresAt,
    fields: merged,
    ...(owner !== undefined && { principal: owner }),
  };
}

/** Reads, decides and writes if nothing has changed in between; else begins again. `decide` returns what to write. */
async function exchanged<T>(
  { get, put }: Backend,
  id: string,
  decide: (held: Held | undefined) => { result: T; write?: StoredRecord | "nothing" },
): Promise<T> {
  for (;;) {
    const held = await get(id);
    const { result, write } = decide(held);
    if (write === undefined) return result;
    if (await put(id, write === "nothing" ? undefined : write, held?.revision)) return result;
  }
}

const firstOf = ({ expiresAt, principal, fields }: NewRecord): StoredRecord => ({
  version: 1,
  expiresAt,
  fields: new Map(fields),
  ...(principal !== undefined && { principal }),
});

/** A correct driver for a backend that can only compare and set. Each call ends within `timeout`. */
export function distantDriver(backend: Backend, timeout: number): ListingDriver {
  const call = createCall({ driver: "distant", timeout, translate: () => undefined });
  return {
    name: "distant",
    create(id, given, now) {
      const write = firstOf(given);
      return call(() =>
        exchanged(backend, id, (held) => (isLive(held, now) ? { result: false } : { result: true, write })),
      );
    },
    load: (id) =>
      call(async () => {
        const held = await backend.get(id);
        return held && copyOf(held.record);
      }),
    commit(id, given, now) {
      const change = { ...given, fields: new Map(given.fields) };
      return call(() =>
        exchanged<"committed" | "conflict" | "gone">(backend, id, (held) => {
          if (!isLive(held, now)) return { result: "gone" };
          if (change.ifVersion !== undefined && change.ifVersion !== held.record.version)
            return { result: "conflict" };
          return { result: "committed", write: changed(held.record, change) };
        }),
      );
    },
    destroy: (id, now) =>
      call(() =>
        exchanged(backend, id, (held) =>
          isLive(held, now) ? { result: true, write: "nothing" } : { result: false },
        ),
      ),
    sweep: ({ after, before, limit }) =>
      call(async () => {
        const found = (await backend.all())
          .filter(([, { record }]) => record.expiresAt >= after && record.expiresAt < before)
          .slice(0, limit);
        const swept = await Promise.all(
          found.map(([id, { revision }]) => backend.put(id, undefined, revision)),
        );
        return swept.filter(Boolean).length;
      }),
    list: ({ principal, limit, cursor = "" }, now) =>
      call(async () => {
        const found = (await backend.all())
          .filter(([id, held]) => id > cursor && isLive(held, now))
          .filter(([, { record }]) => principal === undefined || record.principal === principal)
          .sort(([a], [b]) => (a < b ? -1 : 1));
        const page = found.slice(0, limit);
        const last = page.at(-1)?.[0];
        return {
          records: page.map(([id, { record }]) => ({ id, ...copyOf(record) })),
          ...(found.length > limit && last !== undefined && { cursor: last }),
        };
      }),
  };
}
