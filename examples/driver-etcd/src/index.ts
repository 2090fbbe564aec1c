import {
  type CommitOutcome,
  type Duration,
  type ListedRecord,
  type ListingDriver,
  SessionTooLargeError,
} from "@sessions/core";
import {
  checkClient,
  checkOption,
  checkOptions,
  createCall,
  milliseconds,
  raisesVersion,
} from "@sessions/core/driver-tools";
import type { Compare, EtcdClientLike, KeyValue, Operation, TxnRequest, TxnResponse } from "./client.ts";
import {
  base64,
  between,
  decode,
  digits,
  encode,
  found,
  get,
  hasRevision,
  hex,
  idOf,
  type Meta,
  put,
  remove,
  textOf,
} from "./operations.ts";

export {
  type Compare,
  type EtcdClientLike,
  etcdClient,
  type KeyValue,
  type Operation,
  type TxnRequest,
  type TxnResponse,
} from "./client.ts";
export { fromUrl } from "./from-url.ts";

/** Options of `etcdDriver`. */
export interface EtcdDriverOptions {
  /** What `etcdClient(url)` makes, or a client of your own. */
  readonly client: EtcdClientLike;
  /**
   * The start of all keys. Drivers with different prefixes share nothing. 1 to 64 of `A-Z a-z 0-9 _ - :`.
   * @default "sessions:"
   */
  readonly prefix?: string | undefined;
  /**
   * How long a call may take. After that it is `DriverUnavailableError`.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

// etcd takes 128 operations in one transaction, and here a commit has up to six beside its fields.
const [FIELDS, LISTED, SWEPT] = [100, 40, 20];
/** Beyond this, etcd refuses a request, and a much larger one keeps it busy for seconds. */
const MOST_BYTES = 1_500_000;

/**
 * Keeps sessions in etcd, by the JSON gateway that each server has.
 *
 * @throws SessionConfigError if an option is unknown or out of range. The message names it.
 */
export function etcdDriver(options: EtcdDriverOptions): ListingDriver {
  checkOptions("etcdDriver", options, ["client", "prefix", "timeout"]);
  const { client, prefix = "sessions:", timeout = "2s" } = options;
  checkClient(client, "what etcdClient(url) makes", ["txn()"]);
  const form = "1 to 64 of A-Z a-z 0-9 _ - :";
  checkOption(typeof prefix === "string" && /^[\w:-]{1,64}$/.test(prefix), "prefix", form, prefix);
  const tooLarge = () =>
    new SessionTooLargeError("etcd: the session is larger than a request may be (--max-request-bytes)");
  const call = createCall({
    driver: "etcd",
    timeout: milliseconds("timeout", timeout),
    translate: (error) =>
      error instanceof Error && /too large|larger than max/.test(error.message) ? tooLarge() : undefined,
  });

  // A record is its own key, one that etcd counts the version by, and one for each field. Two more lead to it.
  const ownKey = (id: string) => `${prefix}record/${id}`;
  const versionKey = (id: string) => `${prefix}version/${id}`;
  const fieldKey = (id: string, name: string) => `${prefix}field/${id}/${name}`;
  const expiryKey = (at: number) => `${prefix}expiry/${digits(at)}/`;
  const principalKey = (principal: string) => `${prefix}principal/${hex(principal)}/`;
  /** That by the expiry names the other one, so that a sweep reads no record. */
  function indexOf(id: string, { expiresAt, principal }: Meta): Map<string, string> {
    const byPrincipal = principal === undefined ? "" : principalKey(principal) + id;
    const byExpiry = [expiryKey(expiresAt) + id, byPrincipal] as const;
    return new Map(byPrincipal === "" ? [byExpiry] : [byExpiry, [byPrincipal, ""]]);
  }

  function write(id: string, fields: ReadonlyMap<string, string | null>): Operation[] {
    return [...fields].map(([name, text]) =>
      text === null ? remove(fieldKey(id, name)) : put(fieldKey(id, name), text),
    );
  }
  function place(id: string, before: Meta | undefined, after: Meta): Operation[] {
    const [old, next] = [before ? indexOf(id, before) : new Map<string, string>(), indexOf(id, after)];
    return [
      put(ownKey(id), encode(after)),
      ...[...old.keys()].filter((key) => !next.has(key)).map(remove),
      ...[...next].filter(([key, value]) => old.get(key) !== value).map((entry) => put(...entry)),
    ];
  }
  const removeAll = (id: string, leading: Iterable<string>): Operation[] => [
    ...[ownKey(id), versionKey(id), ...leading].map(remove),
    { request_delete_range: between(fieldKey(id, ""), fieldKey(id, "~")) },
  ];
  const getAll = (id: string): Operation[] => [
    ...[ownKey(id), versionKey(id)].map(get),
    { request_range: between(fieldKey(id, ""), fieldKey(id, "~")) },
  ];
  /** The records that `getAll` has read, one after the other. */
  function records(parts: readonly (readonly KeyValue[])[]): ListedRecord[] {
    const all: ListedRecord[] = [];
    for (let i = 0; i < parts.length; i += 3) {
      const [[own] = [], [counted] = [], fields = []] = parts.slice(i, i + 3);
      if (!own || !counted) continue;
      const id = idOf(own);
      const start = fieldKey(id, "").length;
      const named = new Map(fields.map(({ key, value }) => [textOf(key).slice(start), textOf(value)]));
      all.push({ id, version: Number(counted.version), ...decode(own), fields: named });
    }
    return all;
  }

  type Send = (request: TxnRequest) => Promise<TxnResponse>;
  /** The signal ends what is under way, and all that would be sent after it, once the caller was told of the lateness. */
  const within = <T>(work: (send: Send) => Promise<T>, changes = true): Promise<T> =>
    call((signal) => work((request) => client.txn(request, signal)), undefined, { changes });

  function checkSize(fields: ReadonlyMap<string, string | null>): void {
    let bytes = 0;
    for (const [name, text] of fields) bytes += Buffer.byteLength(name) + Buffer.byteLength(text ?? "");
    if (bytes > MOST_BYTES) throw tooLarge();
  }

  return {
    name: "etcd",
    maxFieldsPerCommit: FIELDS,

    create: (id, record, now) =>
      within(async (send) => {
        checkSize(record.fields);
        const { expiresAt, principal } = record;
        const own = ownKey(id);
        // Made before the first wait: the caller may change its Map while this waits.
        const success = [
          ...write(id, record.fields),
          put(versionKey(id), ""),
          ...place(id, undefined, { expiresAt, principal }),
        ];
        while (true) {
          const made = await send({ compare: [hasRevision(own, "0")], success, failure: [get(own)] });
          if (made.succeeded) return true;
          const [there] = found(made)[0] ?? [];
          const old = there && decode(there);
          if (old && old.expiresAt > now) return false;
          // A leftover goes first, because etcd counts versions from 1 only where the key is new.
          if (there && old)
            await send({
              compare: [hasRevision(own, there.mod_revision)],
              success: removeAll(id, indexOf(id, old).keys()),
            });
        }
      }),

    load: (id) =>
      within(async (send) => {
        const [record] = records(found(await send({ success: getAll(id) })));
        if (!record) return undefined;
        const { id: _, ...stored } = record;
        return stored;
      }, false),

    commit: (id, { fields, expiresAt, principal, ifVersion }, now) =>
      within(async (send): Promise<CommitOutcome> => {
        checkSize(fields);
        const own = ownKey(id);
        const changes = write(id, fields);
        if (raisesVersion({ fields, principal, ifVersion })) changes.push(put(versionKey(id), ""));
        const asked: Compare[] =
          ifVersion === undefined
            ? []
            : [
                {
                  key: base64(versionKey(id)),
                  target: "VERSION",
                  result: "EQUAL",
                  version: String(ifVersion),
                },
              ];
        const failure = [get(own)];
        const moves = expiresAt !== undefined || principal !== undefined;
        // What leads to the record has to be moved, so where it is has to be known.
        let seen = moves ? found(await send({ success: failure }))[0]?.[0] : undefined;
        while (true) {
          const old = seen && decode(seen);
          if (moves && (!old || old.expiresAt <= now)) return "gone";
          const next = {
            expiresAt: expiresAt ?? old?.expiresAt ?? 0,
            principal: principal === undefined ? old?.principal : (principal ?? undefined),
          };
          const made = await send({
            compare: [
              seen
                ? hasRevision(own, seen.mod_revision)
                : { key: base64(own), target: "VALUE", result: "GREATER", value: base64(`${digits(now)}~`) },
              ...asked,
            ],
            success: moves ? [...changes, ...place(id, old, next)] : changes,
            failure,
          });
          if (made.succeeded) return "committed";
          const [there] = found(made)[0] ?? [];
          if (!there || decode(there).expiresAt <= now) return "gone";
          if (!moves || there.mod_revision === seen?.mod_revision) return "conflict";
          seen = there;
        }
      }),

    destroy: (id, now) =>
      within(async (send) => {
        const own = ownKey(id);
        let response = await send({ success: [get(own)] });
        while (true) {
          const [seen] = found(response)[0] ?? [];
          const old = seen && decode(seen);
          if (!old || old.expiresAt <= now) return false;
          response = await send({
            compare: [hasRevision(own, seen.mod_revision)],
            success: removeAll(id, indexOf(id, old).keys()),
            failure: [get(own)],
          });
          if (response.succeeded) return true;
        }
      }),

    sweep: ({ after, before, limit }) =>
      within(async (send) => {
        let removed = 0;
        while (removed < limit) {
          const most = Math.min(limit - removed, SWEPT);
          const range = { ...between(expiryKey(after), expiryKey(before)), limit: most };
          const [expired = []] = found(await send({ success: [{ request_range: range }] }));
          if (expired.length === 0) break;
          // Each only if no commit or create has changed what leads to it meanwhile.
          const { responses = [] } = await send({
            success: expired.map((entry) => {
              const [byExpiry, byPrincipal] = [textOf(entry.key), textOf(entry.value)];
              const success = removeAll(idOf(entry), [byExpiry, byPrincipal].filter(Boolean));
              return {
                request_txn: { compare: [hasRevision(byExpiry, entry.mod_revision)], success },
              };
            }),
          });
          removed += responses.filter(({ response_txn }) => response_txn?.succeeded).length;
        }
        return removed;
      }),

    list: ({ principal, cursor = "", limit }, now) =>
      within(async (send) => {
        const all = principal === undefined ? ownKey("") : principalKey(principal);
        const most = Math.min(limit, LISTED);
        const range = { ...between(`${all}${cursor}\0`, `${all}~`), limit: most };
        const [keys = []] = found(await send({ success: [{ request_range: range }] }));
        const read = keys.flatMap((key) => getAll(idOf(key)));
        const listed = read.length === 0 ? [] : records(found(await send({ success: read })));
        const last = keys.at(-1);
        return {
          // They may have changed since the keys were read.
          records: listed.filter(
            (record) => principal === undefined || (record.principal === principal && record.expiresAt > now),
          ),
          ...(last && keys.length === most && { cursor: idOf(last) }),
        };
      }, false),
  };
}
