import {
  type Change,
  type CommitOutcome,
  type Duration,
  type ListedRecord,
  type ListingDriver,
  type ProvisionedDriver,
  SessionSetupError,
} from "@sessions/core";
import {
  checkClient,
  checkOption,
  checkOptions,
  mergeFields,
  readTimeout,
} from "@sessions/core/driver-tools";
import {
  type Connection,
  createConnection,
  type MongodbCallOptions,
  type MongodbCollectionLike,
  READ,
  WRITE,
} from "./connection.ts";
import { type AnyMongodbClientLike, collectionOf } from "./database.ts";
import { codeOf, DUPLICATE_KEY, UNAUTHORIZED } from "./errors.ts";
import { createProvisioning, listIndexes } from "./provisioning.ts";
import { NOTHING, newDocument, parseRecord, updateFor } from "./statements.ts";

/** Options of `mongodbDriver`: a client and a collection's name, or a collection. */
export interface MongodbDriverOptions {
  /**
   * Your client, which you connect and close: a `MongoClient`, whose default database is used (the one that its URL
   * names), a `Db`, a connection of mongoose, or mongoose itself. Leave it out where `collection` is a Collection.
   */
  readonly client?: AnyMongodbClientLike | undefined;
  /**
   * The name of the collection, 1 to 100 of `A-Z a-z 0-9 _ - .`, or a Collection of any database. The collection is
   * the driver's alone.
   * @default "sessions"
   */
  readonly collection?: string | MongodbCollectionLike | undefined;
  /**
   * The time that a call may take before it rejects with `DriverUnavailableError`.
   * More than 24 days counts as 24.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/** A change of more fields than this takes two round trips. */
const MANY_FIELDS = 1_000;
const ID = { _id: 1 } as const;
const BY_EXPIRY = { expiresAt: 1 } as const;

/**
 * Keeps sessions in MongoDB: a document for each, changed by one update of plain operators. `sweep()` removes expired
 * documents, and a TTL index removes them a day later. Run `setup()` before the first session: it makes the indexes.
 *
 * @throws SessionConfigError naming an option that is unknown, out of range, or contradicts another.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { mongodbDriver } from "@sessions/driver-mongodb";
 * import { MongoClient } from "mongodb";
 *
 * const client = new MongoClient("mongodb://localhost:27017/app");
 * await client.connect();
 * const sessions = createSessionManager({ driver: mongodbDriver({ client }) });
 * await sessions.setup();
 */
export function mongodbDriver(options: MongodbDriverOptions): ListingDriver & ProvisionedDriver {
  return createDriver(readOptions(options));
}

const isCollection = (value: unknown): value is MongodbCollectionLike =>
  typeof Object(value).bulkWrite === "function";

/** @throws SessionConfigError naming an option that is unknown, out of range, or contradicts another. */
function readOptions(options: MongodbDriverOptions): Connection {
  checkOptions("mongodbDriver", options, ["client", "collection", "timeout"]);
  const { client, collection = "sessions", timeout = "2s" } = options;
  const ms = readTimeout(timeout);
  if (isCollection(collection)) {
    checkOption(client === undefined, "client", "left out where collection is a Collection", typeof client);
    return createConnection(collection.collectionName, () => collection, ms);
  }
  checkName(collection);
  checkClient(
    client,
    "a MongoClient or a Db of mongodb, mongoose or a connection of it, unless collection is a Collection",
    ["db()"],
    ["mongodb", "mongodb db", "mongoose connection", "mongoose"],
  );
  // For the compiler alone: checkClient has refused it already.
  if (client === undefined) throw new TypeError("client");
  return createConnection(collection, collectionOf(client, collection), ms);
}

/** @throws SessionConfigError for a name that no collection may have; MongoDB's own begin with `system.` */
export function checkName(collection: unknown): void {
  checkOption(
    typeof collection === "string" &&
      /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$/.test(collection) &&
      !/^system\.|\.\.|\.$/.test(collection),
    "collection",
    "a name of 1 to 100 of A-Z a-z 0-9 _ - . or a Collection",
    collection,
  );
}

/** A driver on a connection. */
export function createDriver(connection: Connection): ListingDriver & ProvisionedDriver {
  const { name, within } = connection;
  const live = (id: string, now: number) => ({ _id: id, expiresAt: { $gt: now } });

  // The first write makes a missing collection, but without its indexes, so that nothing would ever be removed. Only
  // create() can make it, so the first create() looks.
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
    const keys = await within(async (collection, limits) => {
      try {
        return (await listIndexes(collection, limits)).map(({ key }) => Object.keys(Object(key))[0]);
      } catch (error) {
        // A user who may write but not look has to have run setup().
        if (codeOf(error) === UNAUTHORIZED) return undefined;
        throw error;
      }
    });
    if (keys && !keys.includes("removeAt"))
      throw new SessionSetupError(
        `mongodb: the collection ${name} or its indexes are missing. Call sessions.setup(), or driver.setup() where there is no manager.`,
      );
  }

  /**
   * Commits a change of very many fields. A server would look each one up among all the others, so this reads the whole
   * record, merges, and writes if nothing has changed since. Returns `undefined` where other writers were always
   * faster.
   */
  async function commitLarge(
    collection: MongodbCollectionLike,
    id: string,
    change: Change,
    now: number,
    limits: MongodbCallOptions,
  ): Promise<CommitOutcome | undefined> {
    for (let tries = 0; tries < 3; tries++) {
      const document = await collection.findOne({ _id: id }, { ...READ, ...limits });
      const record = document && parseRecord(document);
      if (!record || record.expiresAt <= now) return "gone";
      if (change.ifVersion !== undefined && change.ifVersion !== record.version) return "conflict";
      // Every commit with fields raises the version; the date differs where the id has a new record.
      const { removeAt }: { removeAt?: unknown } = document;
      const same = { ...live(id, now), version: record.version, removeAt };
      const update = updateFor(change, now, mergeFields(new Map(record.fields), change.fields));
      if ((await collection.updateOne(same, update, { ...WRITE, ...limits })).matchedCount === 1)
        return "committed";
    }
    return undefined;
  }

  return {
    name: "mongodb",

    async create(id, record, now) {
      // Before any waiting, because the caller may change the Map meanwhile.
      const document = newDocument(record, now);
      await prepare();
      return within(async (collection, limits) => {
        try {
          // The filter does not match a live record; the upsert would then insert a second one, and the server refuses
          // it.
          const filter = { _id: id, expiresAt: { $lte: now } };
          await collection.replaceOne(filter, document, { ...WRITE, ...limits, upsert: true });
          return true;
        } catch (error) {
          if (codeOf(error) === DUPLICATE_KEY) return false;
          throw error;
        }
      }, true);
    },

    async load(id) {
      const document = await within((collection, limits) =>
        collection.findOne({ _id: id }, { ...READ, ...limits }),
      );
      const found = document && parseRecord(document);
      if (!found) return undefined;
      const { id: _, ...record } = found;
      return record;
    },

    async commit(id, change, now) {
      const update = updateFor(change, now);
      // A copy, because the caller may change the Map while the record is read.
      const many = change.fields.size > MANY_FIELDS && { ...change, fields: new Map(change.fields) };
      const filter = live(id, now);
      const { ifVersion } = change;
      return within(async (collection, limits) => {
        const outcome = many && (await commitLarge(collection, id, many, now, limits));
        if (outcome) return outcome;
        if (ifVersion === undefined) {
          const { matchedCount } = await collection.updateOne(filter, update, { ...WRITE, ...limits });
          return matchedCount === 1 ? "committed" : "gone";
        }
        // The second update only asks whether there is a live record. In this order a destroy between the two means
        // "gone"; in the other it would be a false conflict. The first always raises the version and the second
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
      }, true);
    },

    async destroy(id, now) {
      const filter = live(id, now);
      return within(async (collection, limits) => {
        const options = { ...WRITE, ...limits };
        if ((await collection.deleteOne(filter, options)).deletedCount === 1) return true;
        // DocumentDB's deleteOne deletes nothing and returns 0 where the document is updated at the same time. Second,
        // because the client does not repeat a deleteMany over a broken connection.
        return (await collection.deleteMany(filter, options)).deletedCount === 1;
      }, true);
    },

    async sweep({ after, before, limit }) {
      const range = { expiresAt: { $gte: after, $lt: before } };
      return within(async (collection, limits) => {
        // Read first, because a delete takes no limit; in one batch, in the index's order.
        const query = { ...READ, ...limits, projection: ID, sort: BY_EXPIRY, limit };
        const found = await collection.find(range, { ...query, batchSize: limit }).toArray();
        const ids = found.map((document) => Object(document)._id);
        if (ids.length === 0) return 0;
        // With the range, because a commit may have moved the expiry since, or a create may have made a new record.
        const expired = { _id: { $in: ids }, ...range };
        return (await collection.deleteMany(expired, { ...WRITE, ...limits })).deletedCount;
      });
    },

    async list({ principal, cursor = "", limit }, now) {
      // The expiry is judged below: in the query, it could make the server use another index, and sort.
      const filter = { ...(principal !== undefined && { principal }), _id: { $gt: cursor } };
      const found = await within((collection, limits) =>
        collection.find(filter, { ...READ, ...limits, sort: ID, limit, batchSize: limit }).toArray(),
      );
      // The principal is judged again: a server without snapshots may find a document by its old principal.
      const records = found
        .map(parseRecord)
        .filter((record): record is ListedRecord => record !== undefined && record.expiresAt > now)
        .filter((record) => principal === undefined || record.principal === principal);
      // Not pageById: the last document may have been filtered out.
      return { records, ...(found.length === limit && { cursor: String(Object(found.at(-1))._id) }) };
    },

    ...createProvisioning(connection),
  };
}
