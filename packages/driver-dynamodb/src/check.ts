import type { TableDescription } from "@aws-sdk/client-dynamodb";
import { type Backend, INDEX } from "./backend.ts";
import { describe, describeTtl, hasOwnKey, indexOf, isKeyed } from "./description.ts";
import { OWN } from "./record.ts";
import { isRefusal } from "./requests.ts";
import type { Sdk } from "./sdk.ts";

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
      `The index ${INDEX} of ${table} projects ${projection}, so that every commit pays for it: remove it, and run setup() for one of KEYS_ONLY`,
    );
  if (index.IndexStatus !== "ACTIVE")
    sentences.push(`The index ${INDEX} of ${table} is ${index.IndexStatus}: wait until it is ACTIVE`);
  return sentences;
}

/** Tries what the driver does, in ways that change nothing; an item with this id there never is. */
async function checkPermissions({ manage, table }: Backend, indexed: boolean): Promise<string[]> {
  const TableName = table;
  const Key = { [OWN.id]: { S: "check" } };
  // Never so, for nothing has that id.
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

export function createCheck(backend: Backend): () => Promise<string[]> {
  const { table } = backend;
  return async () => {
    const found = await describe(backend);
    if (found === undefined) return [`The table ${table} is missing: run setup()`];
    if (!hasOwnKey(found))
      return [
        `The table ${table} has another key than ${OWN.id} (S): remove it, or name another in the option table`,
      ];
    if (found.TableStatus !== "ACTIVE" && found.TableStatus !== "UPDATING")
      return [`The table ${table} is ${found.TableStatus}: wait until it is ACTIVE`];
    const sentences = checkIndex(found, table);
    // One that has a fault cannot be asked.
    const indexed = sentences.length === 0;
    const ttl = await describeTtl(backend);
    if (ttl !== OWN.ttl)
      sentences.push(
        ttl === undefined
          ? `TTL is not enabled on ${table}, so that expired records stay: run setup()`
          : `TTL of ${table} goes by ${ttl}, so that expired records stay: disable it, and run setup() for ${OWN.ttl}`,
      );
    return [...sentences, ...(await checkPermissions(backend, indexed))];
  };
}
