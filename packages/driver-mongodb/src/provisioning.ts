import { randomBytes } from "node:crypto";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import {
  ASK,
  type Connection,
  type MongodbCallOptions,
  type MongodbCollectionLike,
  READ,
  WRITE,
} from "./connection.ts";
import { codeOf, NAMESPACE_NOT_FOUND, UNAUTHORIZED } from "./errors.ts";

interface Index {
  readonly name: string;
  readonly key: Record<string, 1>;
  readonly expireAfterSeconds?: number;
  readonly partialFilterExpression?: object;
}

/** The indexes that `setup()` makes. A TTL index of 0 seconds removes each document at the date in the document. */
const INDEXES: readonly Index[] = [
  { name: "removeAt_1", key: { removeAt: 1 }, expireAfterSeconds: 0 },
  { name: "expiresAt_1", key: { expiresAt: 1 } },
  {
    name: "principal_1__id_1",
    key: { principal: 1, _id: 1 },
    partialFilterExpression: { principal: { $exists: true } },
  },
];
/** What is wrong without each of the indexes, in their order. */
const LOSSES = [
  "MongoDB removes nothing that has expired",
  "sweep() is slow",
  "a principal's list() is slow",
];

const isOwn = ({ key }: Record<string, unknown>): boolean =>
  INDEXES.some((own) => JSON.stringify(own.key) === JSON.stringify(key));

/** Properties of an index that make it leave documents out, or change the collection. */
const TELLING = ["expireAfterSeconds", "partialFilterExpression", "sparse", "unique", "hidden", "collation"];

const TEARDOWN_TRIES = 5;

/**
 * Matches documents of another application: a collection has no columns by which to know its owner. A session's
 * document has a text as its id and at least two of three other properties, because one may be damaged.
 */
const FOREIGN = {
  $nor: [
    { version: { $type: "number" }, expiresAt: { $type: "number" } },
    { version: { $type: "number" }, removeAt: { $type: "date" } },
    { expiresAt: { $type: "number" }, removeAt: { $type: "date" } },
  ].map((rest) => ({ _id: { $type: "string" }, ...rest })),
};

/** The collection's indexes, as the server describes them; none where there is no collection. */
export async function listIndexes(
  collection: MongodbCollectionLike,
  limits: MongodbCallOptions,
): Promise<Record<string, unknown>[]> {
  try {
    const found = await collection.listIndexes({ ...ASK, ...limits }).toArray();
    return found.map((index) => ({ ...index }));
  } catch (error) {
    if (codeOf(error) === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

export function createProvisioning({
  name,
  unlimited,
  within,
}: Connection): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  function wrongIndexes(found: Record<string, unknown>[]): string[] {
    return INDEXES.flatMap((wanted, i) => {
      const keys = Object.keys(wanted.key).join(", ");
      const like = found.filter(({ key }) => JSON.stringify(key) === JSON.stringify(wanted.key));
      if (like.length === 0)
        return [`The index of ${name} on ${keys} is missing, without which ${LOSSES[i]}: run setup()`];
      const shown = (index: object) => JSON.stringify(TELLING.map((option) => Reflect.get(index, option)));
      if (like.some((index) => shown(index) === shown(wanted))) return [];
      const options = JSON.stringify({ ...wanted, name: undefined, key: undefined });
      return [`The index of ${name} on ${keys} must have the options ${options}: drop it, and run setup()`];
    });
  }

  /** The options that the collection was made with; none where it is missing. */
  async function readOptions(): Promise<{ [option: string]: unknown }> {
    return within(async (collection, limits) => {
      try {
        return { ...(await collection.options({ ...ASK, ...limits })) };
      } catch (error) {
        // For a missing collection the client throws an error without a code.
        if (codeOf(error) !== undefined || !/not found/.test(String(error))) throw error;
        return {};
      }
    });
  }

  /** @throws SessionSetupError where the name belongs to a view or to time series. */
  async function refuseOtherKind(): Promise<void> {
    const { viewOn, timeseries } = await readOptions();
    if (viewOn !== undefined || timeseries !== undefined)
      throw new SessionSetupError(
        `mongodb: ${name} is a view, or holds time series, and is left as it is. Name another collection.`,
      );
  }

  /** Whether there is such a document. To find none, it reads the whole collection, as making an index does. */
  async function holds(filter: object): Promise<boolean> {
    const one = { ...READ, projection: { _id: 1 }, limit: 1 } as const;
    return (await unlimited((collection) => collection.find(filter, one).toArray())).length > 0;
  }

  /** @throws SessionSetupError where the collection is another application's. */
  async function refuseForeign(): Promise<void> {
    if (await holds(FOREIGN))
      throw new SessionSetupError(
        `mongodb: the collection ${name} holds documents that are not sessions, and is left as it is. Name another, or remove them.`,
      );
  }

  async function checkCollection(): Promise<string[]> {
    const { collation, capped } = await readOptions();
    return [
      ...(collation === undefined || Object(collation).locale === "simple"
        ? []
        : [
            `The collection ${name} has a collation, under which different ids may be equal: make it again without one`,
          ]),
      ...(capped === true
        ? [`The collection ${name} is capped, and would lose sessions: make it again without a limit`]
        : []),
    ];
  }

  /** Tries the driver's own writes, on a record of its own, whose date is the server's time. */
  async function checkWriting(): Promise<string[]> {
    const probe = { _id: `check ${randomBytes(16).toString("hex")}` };
    const update = { $set: { version: 1, expiresAt: 0 }, $currentDate: { removeAt: true } };
    const before = Date.now();
    const document = await within(async (collection, limits) => {
      const options = { ...WRITE, ...limits };
      await collection.updateOne(probe, update, { ...options, upsert: true });
      const written = await collection.findOne(probe, { ...READ, ...limits });
      await collection.deleteOne(probe, options);
      return written;
    });
    const { removeAt }: { removeAt?: unknown } = { ...document };
    return removeAt instanceof Date ? clockOff(removeAt.getTime() - before) : [];
  }

  return {
    async setup() {
      // Both questions at once, because every process asks them.
      const looking = within((collection, limits) => listIndexes(collection, limits));
      // A view has no indexes; refuseOtherKind() has the better error.
      looking.catch(() => {});
      await refuseOtherKind();
      if (wrongIndexes(await looking).length === 0) return;
      await refuseForeign();
      // Makes the collection too, and leaves existing indexes as they are. It takes as long as it takes.
      const indexes = INDEXES.map((index) => ({ ...index }));
      await unlimited((collection) => collection.createIndexes(indexes, WRITE));
    },

    async check() {
      try {
        const indexes = await within((collection, limits) => listIndexes(collection, limits));
        // No further, because trying a write would make the collection.
        if (indexes.length === 0) return [`The collection ${name} is missing: run setup()`];
        return [...wrongIndexes(indexes), ...(await checkCollection()), ...(await checkWriting())];
      } catch (error) {
        if (!(error instanceof Error) || codeOf(error.cause) !== UNAUTHORIZED) throw error;
        return [
          `The user lacks a permission on ${name}: give it the role readWrite, or the actions that the README lists`,
        ];
      }
    },

    async teardown() {
      await refuseOtherKind();
      for (let tries = 1; ; tries++) {
        try {
          await refuseForeign();
          const indexes = await within((collection, limits) => listIndexes(collection, limits));
          // An empty collection is the driver's if it has one of the driver's indexes.
          if (!indexes.some(isOwn) && !(await holds({}))) return;
          await within((collection) => collection.drop());
          return;
        } catch (error) {
          if (error instanceof SessionSetupError) throw error;
          // The collection may be missing, or another process may be dropping it. Not every server that speaks
          // MongoDB's protocol drops it in one step, or gives the error a code.
          const left = await within((collection, limits) => listIndexes(collection, limits)).catch(
            (failure: unknown) => {
              if (Object(Object(failure).cause).name !== "MongoServerError") throw failure;
            },
          );
          if (left && left.length === 0) return;
          if (tries === TEARDOWN_TRIES) throw error;
        }
      }
    },
  };
}

/** @param ms The time by which the server's clock is ahead of this machine's. */
function clockOff(ms: number): string[] {
  const hours = ms / 3_600_000;
  if (Math.abs(hours) < 1) return [];
  const way = hours > 0 ? "ahead of" : "behind";
  return [
    `The server's clock is ${Math.abs(hours).toFixed(1)} hours ${way} this machine's, so that MongoDB removes expired sessions too ${hours > 0 ? "early" : "late"}: set both clocks`,
  ];
}
