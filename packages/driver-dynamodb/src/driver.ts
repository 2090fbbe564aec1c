import type { Duration, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkClient, checkOption, checkOptions, readTimeout } from "@sessions/core/driver-tools";
import { createConnection, type DynamoDBClientLike, isRefusal } from "./connection.ts";
import { listPrincipal } from "./principals.ts";
import { createProvisioning } from "./provisioning.ts";
import {
  commitInput,
  createInput,
  destroyInput,
  OWN,
  pageOf,
  parseRecord,
  RECORD_BYTES,
} from "./statements.ts";
import { createSweep } from "./sweep.ts";

/** Options of `dynamodbDriver`. */
export interface DynamodbDriverOptions {
  /**
   * A `DynamoDBClient` of `@aws-sdk/client-dynamodb`, or a `DynamoDBDocumentClient` of `@aws-sdk/lib-dynamodb`, which you
   * make and destroy.
   */
  readonly client: DynamoDBClientLike;
  /** The table's name, 3 to 255 of `A-Z a-z 0-9 _ . -`. The table is the driver's alone. @default "sessions" */
  readonly table?: string | undefined;
  /**
   * The time that a call may take, the client's own repeats included, before it rejects with `DriverUnavailableError`.
   * More than 24 days counts as 24.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
  /**
   * Called with a sentence about what `setup()` or `teardown()` is waiting for: making an index on a large table takes
   * time.
   * @default no call
   */
  readonly onProgress?: ((message: string) => void) | undefined;
}

/** The service keeps an expired record for at least another hour, so that late requests learn how it ended (R2). */
const LEFTOVER_MS = 3_600_000;

/**
 * Keeps sessions in Amazon DynamoDB: an item for each, an attribute for each field, and an index on principals.
 * DynamoDB itself removes expired records, an hour or more after their expiry.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 * @example
 * import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
 * import { createSessionManager } from "@sessions/core";
 * import { dynamodbDriver } from "@sessions/driver-dynamodb";
 *
 * const client = new DynamoDBClient({ region: "eu-central-1" });
 * const sessions = createSessionManager({ driver: dynamodbDriver({ client, table: "sessions" }) });
 * await sessions.setup();
 */
export function dynamodbDriver(options: DynamodbDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("dynamodbDriver", options, ["client", "table", "timeout", "onProgress"]);
  const { client, table = "sessions", timeout: limit = "2s", onProgress } = options;
  checkClient(
    client,
    "a DynamoDBClient of @aws-sdk/client-dynamodb or a DynamoDBDocumentClient",
    ["send() config"],
    ["dynamodb"],
  );
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
  const timeout = readTimeout(limit);
  const connection = createConnection(client, table, timeout);
  const { read, write } = connection;

  /**
   * The time to live, in epoch seconds by the service's clock, which the client knows from the service's replies. By
   * the caller's `now`, or by a wrong clock of this machine, the service could remove live records.
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
      // Before any waiting, because the caller may change the Map meanwhile.
      const input = commitInput(table, id, change, ttl, now);
      const answer = await write((sdk) => new sdk.UpdateItemCommand(input));
      if (!isRefusal(answer)) return "committed";
      const found = answer.item && parseRecord(answer.item);
      return found && found.expiresAt > now ? "conflict" : "gone";
    },

    async destroy(id, now) {
      return !isRefusal(await write((sdk) => new sdk.DeleteItemCommand(destroyInput(table, id, now))));
    },

    sweep: createSweep(connection),

    async list({ principal, cursor, limit }, now) {
      if (principal !== undefined) return listPrincipal(connection, principal, cursor, limit, now);
      const page = await read(
        (sdk) =>
          new sdk.ScanCommand({
            TableName: table,
            ConsistentRead: true,
            Limit: limit,
            ...(cursor !== undefined && { ExclusiveStartKey: { [OWN.id]: { S: cursor } } }),
          }),
      );
      return pageOf(page.Items, page.LastEvaluatedKey);
    },

    ...createProvisioning(connection, onProgress),
  };
}
