import type { Duration, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkClient, checkOption, checkOptions, milliseconds } from "@sessions/core/driver-tools";
import type { DynamoDBClientLike } from "./client.ts";
import { listAll, listPrincipal } from "./listing.ts";
import { createProvisioning } from "./provisioning.ts";
import { OWN, parseRecord, RECORD_BYTES } from "./record.ts";
import { createRequests, isRefusal } from "./requests.ts";
import { commitInput, createInput, destroyInput } from "./statements.ts";
import { createSweep } from "./sweeping.ts";

/** Options of `dynamodbDriver`. */
export interface DynamodbDriverOptions {
  /** A `DynamoDBClient` of `@aws-sdk/client-dynamodb`, made by you and destroyed by you. */
  readonly client: DynamoDBClientLike;
  /** The table, which is the driver's alone. 3 to 255 of `A-Z a-z 0-9 _ . -`. @default "sessions" */
  readonly table?: string | undefined;
  /** How long a call may take, the client's own repeats included, before it is `DriverUnavailableError`. @default "2s" */
  readonly timeout?: Duration | undefined;
  /**
   * Told, in a sentence, what `setup()` and `teardown()` are waiting for; an index on a large table takes its time.
   * @default nothing is told
   */
  readonly onProgress?: ((message: string) => void) | undefined;
}

/** The service removes an expired record by itself, but late requests still learn how it ended (R2). */
const LEFTOVER_MS = 3_600_000;

/**
 * Keeps sessions in Amazon DynamoDB: an item each, an attribute for each field, an index on principals. DynamoDB
 * removes what has expired by itself, an hour later or more.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 */
export function dynamodbDriver(options: DynamodbDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("dynamodbDriver", options, ["client", "table", "timeout", "onProgress"]);
  const { client, table = "sessions", timeout: limit = "2s", onProgress } = options;
  checkClient(client, "a DynamoDBClient of @aws-sdk/client-dynamodb", ["send() config"], ["dynamodb"]);
  checkOption(
    typeof table === "string" && /^[\w.-]{3,255}$/.test(table),
    "table",
    "3 to 255 of A-Z a-z 0-9 _ . -",
    table,
  );
  checkOption(
    onProgress === undefined || typeof onProgress === "function",
    "onProgress",
    "a function",
    onProgress,
  );
  const timeout = milliseconds("timeout", limit);
  const requests = createRequests(client, timeout);
  const { read, write } = requests;
  const backend = { ...requests, table, timeout };

  /**
   * In the service's own time, as the client knows it from the service's answers: with the caller's `now`, or with a
   * wrong clock on this machine, the service would remove live records.
   */
  function ttlOf(expiresAt: number, now: number): number {
    const serviceNow = Date.now() + (client.config.systemClockOffset ?? 0);
    return Math.ceil((serviceNow + Math.max(expiresAt - now, 0) + LEFTOVER_MS) / 1000);
  }

  return {
    name: "dynamodb",
    maxRecordBytes: RECORD_BYTES,
    eventualList: true,

    async create(id, record, now) {
      const input = createInput(table, id, record, ttlOf(record.expiresAt, now), now);
      return !isRefusal(await write((sdk) => new sdk.PutItemCommand(input)));
    },

    async load(id) {
      const { Item: item } = await read(
        (sdk) =>
          new sdk.GetItemCommand({ TableName: table, Key: { [OWN.id]: { S: id } }, ConsistentRead: true }),
      );
      if (item === undefined) return undefined;
      const record = parseRecord(item);
      if (record === undefined) return undefined;
      const { id: _, ...stored } = record;
      return stored;
    },

    async commit(id, change, now) {
      const ttl = change.expiresAt === undefined ? undefined : ttlOf(change.expiresAt, now);
      // Before any waiting: the caller may change its Map meanwhile.
      const input = commitInput(table, id, change, ttl, now);
      const answer = await write((sdk) => new sdk.UpdateItemCommand(input));
      if (!isRefusal(answer)) return "committed";
      const found = answer.item && parseRecord(answer.item);
      return found && found.expiresAt > now ? "conflict" : "gone";
    },

    async destroy(id, now) {
      return !isRefusal(await write((sdk) => new sdk.DeleteItemCommand(destroyInput(table, id, now))));
    },

    sweep: createSweep(backend),

    list: ({ principal, cursor, limit: most }, now) =>
      principal === undefined
        ? listAll(backend, cursor, most)
        : listPrincipal(backend, principal, cursor, most, now),

    ...createProvisioning(backend, onProgress),
  };
}
