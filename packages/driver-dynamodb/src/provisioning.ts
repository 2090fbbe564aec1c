import { setTimeout } from "node:timers/promises";
import type { CreateTableCommandInput, TableDescription } from "@aws-sdk/client-dynamodb";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import { type Connection, isRefusal } from "./connection.ts";
import type { Sdk } from "./sdk.ts";
import { INDEX, OWN } from "./statements.ts";
import { contentOf, describe, describeTtl, hasOwnIndex, hasOwnKey, indexOf, isKeyed } from "./table.ts";

const index = {
  IndexName: INDEX,
  KeySchema: [{ AttributeName: OWN.principal, KeyType: "HASH" }],
  Projection: { ProjectionType: "KEYS_ONLY" },
} as const;

function definition(table: string): CreateTableCommandInput {
  return {
    TableName: table,
    AttributeDefinitions: [
      { AttributeName: OWN.id, AttributeType: "S" },
      { AttributeName: OWN.principal, AttributeType: "S" },
    ],
    KeySchema: [{ AttributeName: OWN.id, KeyType: "HASH" }],
    GlobalSecondaryIndexes: [{ ...index, KeySchema: [...index.KeySchema] }],
    BillingMode: "PAY_PER_REQUEST",
  };
}

/** Statuses that end without help. */
const PASSING = ["CREATING", "UPDATING", "DELETING"];

function checkIndex(found: TableDescription, table: string): string[] {
  const index = indexOf(found);
  if (index === undefined)
    return [`The index ${INDEX} of ${table} is missing: run setup() before anything is listed`];
  if (!isKeyed(found, index.KeySchema, OWN.principal))
    return [
      `The index ${INDEX} of ${table} has another key than ${OWN.principal} (S): remove it, and run setup()`,
    ];
  const sentences: string[] = [];
  const projection = index.Projection?.ProjectionType;
  if (projection !== "KEYS_ONLY")
    sentences.push(
      `The index ${INDEX} of ${table} projects ${projection}, so that every commit pays for it: remove it, and run setup(), which makes one of KEYS_ONLY`,
    );
  if (index.IndexStatus !== "ACTIVE")
    sentences.push(`The index ${INDEX} of ${table} is ${index.IndexStatus}: wait until it is ACTIVE`);
  return sentences;
}

/** Tries what the driver does, in ways that change nothing: no item has this id. */
async function checkPermissions({ manage, table }: Connection, indexed: boolean): Promise<string[]> {
  const TableName = table;
  const Key = { [OWN.id]: { S: "check" } };
  // A condition that always fails.
  const never = { ConditionExpression: "attribute_exists(#i)", ExpressionAttributeNames: { "#i": OWN.id } };
  const query = (sdk: Sdk) =>
    new sdk.QueryCommand({
      TableName,
      IndexName: INDEX,
      KeyConditionExpression: "#p = :p",
      ExpressionAttributeNames: { "#p": OWN.principal },
      ExpressionAttributeValues: { ":p": { S: "check" } },
      Limit: 1,
    });
  const expected = ["ConditionalCheckFailedException", "AccessDeniedException"];
  const tried = {
    GetItem: manage((sdk) => new sdk.GetItemCommand({ TableName, Key }), expected),
    PutItem: manage((sdk) => new sdk.PutItemCommand({ TableName, Item: Key, ...never }), expected),
    UpdateItem: manage((sdk) => new sdk.UpdateItemCommand({ TableName, Key, ...never }), expected),
    DeleteItem: manage((sdk) => new sdk.DeleteItemCommand({ TableName, Key, ...never }), expected),
    BatchGetItem: manage(
      (sdk) => new sdk.BatchGetItemCommand({ RequestItems: { [table]: { Keys: [Key] } } }),
      expected,
    ),
    Scan: manage((sdk) => new sdk.ScanCommand({ TableName, Limit: 1 }), expected),
    ...(indexed && { Query: manage(query, expected) }),
  };
  const answers = await Promise.all(
    Object.entries(tried).map(async ([action, answer]) => [action, await answer] as const),
  );
  return answers
    .filter(([, answer]) => isRefusal(answer) && answer.refused === "AccessDeniedException")
    .map(
      ([action]) =>
        `The client has no permission for dynamodb:${action} on ${action === "Query" ? `the index ${INDEX} of ` : ""}${table}: allow it in its policy`,
    );
}

/** One sentence for each thing that is wrong with the table. */
async function check(connection: Connection): Promise<string[]> {
  const { table } = connection;
  const found = await describe(connection);
  if (found === undefined) return [`The table ${table} is missing: run setup()`];
  if (!hasOwnKey(found))
    return [
      `The table ${table} has another key than ${OWN.id} (S): remove it, or name another in the option table`,
    ];
  if (found.TableStatus !== "ACTIVE" && found.TableStatus !== "UPDATING")
    return [`The table ${table} is ${found.TableStatus}: wait until it is ACTIVE`];
  const sentences = checkIndex(found, table);
  // A query of an index with a fault would fail for another reason.
  const indexed = sentences.length === 0;
  const ttl = await describeTtl(connection);
  if (ttl !== OWN.ttl)
    sentences.push(
      ttl === undefined
        ? `TTL is not enabled on ${table}, so that expired records stay: run setup()`
        : `TTL of ${table} goes by ${ttl}, so that expired records stay: disable it, and run setup(), which enables it for ${OWN.ttl}`,
    );
  return [...sentences, ...(await checkPermissions(connection, indexed))];
}

export function createProvisioning(
  connection: Connection,
  onProgress: ((message: string) => void) | undefined,
): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { table, manage } = connection;

  function fail(why: string): never {
    throw new SessionSetupError(`dynamodb: ${why}`);
  }

  /** Judges the table by its items, because many applications have a key named `id`. */
  async function demandSessions(): Promise<"sessions" | "nothing" | "gone"> {
    const content = await contentOf(connection);
    if (content === "other")
      fail(
        `the table ${table} holds items that are not sessions, and is left as it is. Name another in the option table, or remove them.`,
      );
    return content;
  }

  /** Repeats a step until it waits for nothing more. Other processes may do the same at the same time. */
  async function until(step: () => Promise<string | undefined>): Promise<void> {
    for (let wait = 20; ; wait = Math.min(wait * 2, 5_000)) {
      const waitsFor = await step();
      if (waitsFor === undefined) return;
      onProgress?.(`dynamodb: ${waitsFor}`);
      // A timer, because no event announces the change.
      await setTimeout(wait);
    }
  }

  /** Makes the next missing part, and returns what to wait for; `undefined` when all is there. */
  async function advance(): Promise<string | undefined> {
    const found = await describe(connection);
    if (found === undefined) {
      await manage((sdk) => new sdk.CreateTableCommand(definition(table)), ["ResourceInUseException"]);
      return `the table ${table} is being created`;
    }
    const { TableStatus: status = "", BillingModeSummary: billing, ProvisionedThroughput: units } = found;
    if (PASSING.includes(status)) return `the table ${table} is ${status}`;
    if (status !== "ACTIVE") fail(`the table ${table} is ${status}. Make it ACTIVE first.`);
    if (!hasOwnKey(found))
      fail(
        `the table ${table} has another key than ${OWN.id} (S), so it is not the driver's. Name another in the option table.`,
      );
    if (!hasOwnIndex(found)) await demandSessions();
    const own = indexOf(found);
    if (own === undefined) {
      const update = (sdk: Sdk) =>
        new sdk.UpdateTableCommand({
          TableName: table,
          AttributeDefinitions: [{ AttributeName: OWN.principal, AttributeType: "S" }],
          GlobalSecondaryIndexUpdates: [
            {
              Create: {
                ...{ ...index, KeySchema: [...index.KeySchema] },
                // On a table with provisioned capacity, the index gets as much as the table.
                ...(billing?.BillingMode !== "PAY_PER_REQUEST" &&
                  units && {
                    ProvisionedThroughput: {
                      ReadCapacityUnits: units.ReadCapacityUnits,
                      WriteCapacityUnits: units.WriteCapacityUnits,
                    },
                  }),
              },
            },
          ],
        });
      // Refused while another process makes the index, or after it has.
      const answer = await manage(update, ["ResourceInUseException", "ValidationException"]);
      if (
        isRefusal(answer) &&
        answer.refused === "ValidationException" &&
        !indexOf(await describe(connection))
      )
        fail(`the index ${INDEX} of ${table} cannot be made: ${answer.message}`);
      return `the index ${INDEX} of ${table} is being created`;
    }
    if (own.IndexStatus !== "ACTIVE") return `the index ${INDEX} of ${table} is ${own.IndexStatus}`;
    await enableTtl();
    return undefined;
  }

  async function enableTtl(): Promise<void> {
    if ((await describeTtl(connection)) === OWN.ttl) return;
    const specification = { AttributeName: OWN.ttl, Enabled: true };
    const answer = await manage(
      (sdk) => new sdk.UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification: specification }),
      // Another process may have enabled it since.
      ["ValidationException"],
    );
    if (isRefusal(answer) && (await describeTtl(connection)) !== OWN.ttl)
      fail(`TTL on ${OWN.ttl} of ${table} cannot be enabled: ${answer.message}`);
  }

  return {
    setup: () => until(advance),

    check: () => check(connection),

    async teardown() {
      let isOwn = false;
      await until(async () => {
        const found = await describe(connection);
        if (found === undefined) return undefined;
        if (!hasOwnKey(found))
          fail(
            `the table ${table} has another key than ${OWN.id} (S), so it is not removed. Name another in the option table.`,
          );
        if (found.TableStatus === "DELETING") return `the table ${table} is being removed`;
        if (found.DeletionProtectionEnabled)
          fail(`the table ${table} is protected from deletion. Switch that off, and call teardown() again.`);
        if (!isOwn) {
          const content = await demandSessions();
          if (content === "gone") return `the table ${table} is ${found.TableStatus}`;
          // An empty table is the driver's if it has the driver's index or TTL.
          if (content === "nothing" && !hasOwnIndex(found) && (await describeTtl(connection)) !== OWN.ttl)
            return undefined;
          isOwn = true;
        }
        const command = (sdk: Sdk) => new sdk.DeleteTableCommand({ TableName: table });
        // Refused while the table changes, or after another process has removed it.
        const answer = await manage(command, [
          "ResourceInUseException",
          "ResourceNotFoundException",
          "ValidationException",
        ]);
        if (isRefusal(answer) && answer.refused === "ValidationException")
          fail(`the table ${table} cannot be removed: ${answer.message}`);
        return `the table ${table} is being removed`;
      });
    },
  };
}
