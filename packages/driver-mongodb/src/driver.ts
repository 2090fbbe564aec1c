import {
  type Change,
  type CommitOutcome,
  type ListedRecord,
  type ListingDriver,
  type ProvisionedDriver,
  SessionSetupError,
} from "@sessions/core";
import { createCall, mergeFields } from "@sessions/core/driver-tools";
import { type MongodbCallOptions, READ, WRITE } from "./client.ts";
import { NOTHING, newDocument, recordOf, updateOf } from "./documents.ts";
import { codeOf, DUPLICATE_KEY, translate, UNAUTHORIZED } from "./errors.ts";
import { type MongodbDriverOptions, readOptions } from "./options.ts";
import { createProvisioning, listIndexes } from "./provisioning.ts";

/** Changes of more fields take two round trips. */
const MANY_FIELDS = 1_000;
const ID = { _id: 1 } as const;
const BY_EXPIRY = { expiresAt: 1 } as const;

/**
 * Keeps sessions in MongoDB: a document each, changed by one update of plain operators. A TTL index removes what
 * has expired a day later, and `sweep()` earlier. Run `setup()` before the first session: it makes the indexes.
 *
 * @throws SessionConfigError naming an option that is unknown, out of range, or contradicts another.
 */
export function mongodbDriver(options: MongodbDriverOptions): ListingDriver & ProvisionedDriver {
  return createDriver(readOptions(options));
}

/** @param connected Ends when the client has been connected, where that is not the caller's own care. */
export function createDriver(
  { collection, timeout }: ReturnType<typeof readOptions>,
  connected?: Promise<void>,
): ListingDriver & ProvisionedDriver {
  const call = createCall({ driver: "mongodb", timeout, translate });

  /** A call that neither waits in the client, nor is repeated by it, nor runs in the server, after its time is up. */
  function within<T>(work: (limits: MongodbCallOptions) => Promise<T>): Promise<T> {
    // Not AbortSignal.timeout: `call` has a timer already, and the signal's costs more.
    const controller = new AbortController();
    const { signal } = controller;
    return call(
      async () => {
        if (connected) await connected;
        signal.throwIfAborted();
        return work({ signal, maxTimeMS: timeout });
      },
      timeout,
      () => controller.abort(),
    );
  }

  const live = (id: string, now: number) => ({ _id: id, expiresAt: { $gt: now } });

  // The first write would make a missing collection, without its indexes: nothing would ever be removed. Only create
  // can, so the first one looks.
  let prepared: Promise<void> | undefined;
  async function prepare(): Promise<void> {
    prepared ??= lookForIndexes();
    try {
      await prepared;
    } catch (error) {
      prepared = undefined;
      throw error;
    }
  }
  async function lookForIndexes(): Promise<void> {
    const keys = await within(async (limits) => {
      try {
        return (await listIndexes(collection, limits)).map(({ key }) => Object.keys(Object(key))[0]);
      } catch (error) {
        // Who may write and not look is trusted to have run setup().
        if (codeOf(error) === UNAUTHORIZED) return undefined;
        throw error;
      }
    });
    if (keys && !keys.includes("removeAt"))
      throw new SessionSetupError(
        `mongodb: the collection ${collection.collectionName} or its indexes are missing: call sessions.setup(), or driver.setup() where there is no manager`,
      );
  }

  /**
   * A change of very many fields, which a server would look up one by one, each among all: the whole is read, merged,
   * and written if nothing has changed since. `undefined` where others were always faster.
   */
  async function commitLarge(
    id: string,
    change: Change,
    now: number,
    limits: MongodbCallOptions,
  ): Promise<CommitOutcome | undefined> {
    for (let tries = 0; tries < 3; tries++) {
      const document = await collection.findOne({ _id: id }, { ...READ, ...limits });
      const record = document && recordOf(document);
      if (!record || record.expiresAt <= now) return "gone";
      if (change.ifVersion !== undefined && change.ifVersion !== record.version) return "conflict";
      // Every commit with fields raises the version. The date tells it from a new record under the same id.
      const { removeAt }: { removeAt?: unknown } = document;
      const same = { ...live(id, now), version: record.version, removeAt };
      const update = updateOf(change, now, mergeFields(new Map(record.fields), change.fields));
      if ((await collection.updateOne(same, update, { ...WRITE, ...limits })).matchedCount === 1)
        return "committed";
    }
    return undefined;
  }

  return {
    name: "mongodb",

    async create(id, record, now) {
      // First, for the caller may change the Map while this waits.
      const document = newDocument(record, now);
      await prepare();
      return within(async (limits) => {
        try {
          // A live record does not match, so the upsert would insert a second of that id, which is refused.
          const filter = { _id: id, expiresAt: { $lte: now } };
          await collection.replaceOne(filter, document, { ...WRITE, ...limits, upsert: true });
          return true;
        } catch (error) {
          if (codeOf(error) === DUPLICATE_KEY) return false;
          throw error;
        }
      });
    },

    async load(id) {
      const document = await within((limits) => collection.findOne({ _id: id }, { ...READ, ...limits }));
      const found = document && recordOf(document);
      if (!found) return undefined;
      const { id: _, ...record } = found;
      return record;
    },

    async commit(id, change, now) {
      const update = updateOf(change, now);
      // A copy, for the caller may change the Map while the record is read.
      const many = change.fields.size > MANY_FIELDS && { ...change, fields: new Map(change.fields) };
      const filter = live(id, now);
      const { ifVersion } = change;
      return within(async (limits) => {
        const outcome = many && (await commitLarge(id, many, now, limits));
        if (outcome) return outcome;
        if (ifVersion === undefined) {
          const { matchedCount } = await collection.updateOne(filter, update, { ...WRITE, ...limits });
          return matchedCount === 1 ? "committed" : "gone";
        }
        // The second only asks whether a live record is there. In this order a destroy that comes between them answers
        // "gone"; the other way round it would be a false conflict. The first always raises the version, the second
        // modifies nothing, so the count of modified documents tells which of them matched.
        const { matchedCount, modifiedCount } = await collection.bulkWrite(
          [
            { updateOne: { filter: { ...filter, version: ifVersion }, update } },
            { updateOne: { filter, update: NOTHING } },
          ],
          { ...WRITE, ...limits, ordered: true },
        );
        if (modifiedCount > 0) return "committed";
        return matchedCount > 0 ? "conflict" : "gone";
      });
    },

    async destroy(id, now) {
      const filter = live(id, now);
      return within(async (limits) => {
        const options = { ...WRITE, ...limits };
        if ((await collection.deleteOne(filter, options)).deletedCount === 1) return true;
        // DocumentDB's answers 0 and deletes nothing where the document is updated at the same time. The client does not
        // repeat this one over a broken connection, and so it is only the second.
        return (await collection.deleteMany(filter, options)).deletedCount === 1;
      });
    },

    async sweep({ after, before, limit }) {
      const range = { expiresAt: { $gte: after, $lt: before } };
      return within(async (limits) => {
        // In one batch, in the index's order. A delete takes no limit.
        const query = { ...READ, ...limits, projection: ID, sort: BY_EXPIRY, limit };
        const found = await collection.find(range, { ...query, batchSize: limit }).toArray();
        const ids = found.map((document) => Object(document)._id);
        if (ids.length === 0) return 0;
        // The range again: a commit may have moved the expiry since, a create may have begun anew.
        const expired = { _id: { $in: ids }, ...range };
        return (await collection.deleteMany(expired, { ...WRITE, ...limits })).deletedCount;
      });
    },

    async list({ principal, cursor = "", limit }, now) {
      // The expiry is judged here: named in the query, it would tempt the server to another index, and to sort.
      const filter = { ...(principal !== undefined && { principal }), _id: { $gt: cursor } };
      const found = await within((limits) =>
        collection.find(filter, { ...READ, ...limits, sort: ID, limit, batchSize: limit }).toArray(),
      );
      // So is the principal, once more: a server without snapshots may find a document by what it was a moment ago.
      const records = found
        .map(recordOf)
        .filter((record): record is ListedRecord => record !== undefined && record.expiresAt > now)
        .filter((record) => principal === undefined || record.principal === principal);
      return { records, ...(found.length === limit && { cursor: String(Object(found.at(-1))._id) }) };
    },

    ...createProvisioning({ collection, call, within }),
  };
}
