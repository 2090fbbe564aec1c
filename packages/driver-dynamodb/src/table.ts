import type {
  GlobalSecondaryIndexDescription,
  KeySchemaElement,
  TableDescription,
} from "@aws-sdk/client-dynamodb";
import { type Connection, type Item, isRefusal } from "./connection.ts";
import { INDEX, OWN } from "./statements.ts";

/**
 * Reads the table's description; `undefined` where there is no table. `setup()`, `check()` and `teardown()` begin with
 * it, so it has only the driver's timeout: they fail soon where the service cannot be reached.
 */
export async function describe({
  manage,
  table,
  timeout,
}: Connection): Promise<TableDescription | undefined> {
  const answer = await manage(
    (sdk) => new sdk.DescribeTableCommand({ TableName: table }),
    ["ResourceNotFoundException"],
    timeout,
  );
  return isRefusal(answer) ? undefined : answer.Table;
}

/** The attribute that TTL goes by, or will within an hour; `undefined` where TTL is off. */
export async function describeTtl({ manage, table }: Connection): Promise<string | undefined> {
  const answer = await manage((sdk) => new sdk.DescribeTimeToLiveCommand({ TableName: table }), []);
  const found = isRefusal(answer) ? undefined : answer.TimeToLiveDescription;
  const on = found?.TimeToLiveStatus === "ENABLED" || found?.TimeToLiveStatus === "ENABLING";
  return on ? found.AttributeName : undefined;
}

/** A session has numbers in at least two of these attributes, because one may be damaged. */
const NUMBERS = [OWN.version, OWN.expiresAt, OWN.ttl];
const isNumber = (name: string): string => `attribute_type(#${name}, :number)`;
const FOREIGN = `NOT (${NUMBERS.map((left) =>
  NUMBERS.filter((name) => name !== left)
    .map(isNumber)
    .join(" AND "),
)
  .map((pair) => `(${pair})`)
  .join(" OR ")})`;

/** Finds out whose items a table holds. Reads the whole table, at half the cost of a consistent read. */
export async function contentOf({
  manage,
  table,
}: Connection): Promise<"sessions" | "nothing" | "other" | "gone"> {
  let items = 0;
  let start: Item | undefined;
  do {
    const page = await manage(
      (sdk) =>
        new sdk.ScanCommand({
          TableName: table,
          FilterExpression: FOREIGN,
          ProjectionExpression: "#id",
          ExpressionAttributeNames: Object.fromEntries(
            [OWN.id, ...NUMBERS].map((name) => [`#${name}`, name]),
          ),
          ExpressionAttributeValues: { ":number": { S: "N" } },
          ExclusiveStartKey: start,
        }),
      ["ResourceNotFoundException", "ResourceInUseException"],
    );
    if (isRefusal(page)) return "gone";
    if (page.Count) return "other";
    items += page.ScannedCount ?? 0;
    start = page.LastEvaluatedKey;
  } while (start);
  return items > 0 ? "sessions" : "nothing";
}

/** Whether the table has the driver's index, which no other application is likely to have. */
export function hasOwnIndex(found: TableDescription): boolean {
  const index = indexOf(found);
  return index !== undefined && isKeyed(found, index.KeySchema, OWN.principal);
}

/** Whether a key is one attribute of that name, a text. */
export function isKeyed(
  { AttributeDefinitions: types = [] }: TableDescription,
  key: readonly KeySchemaElement[] | undefined,
  name: string,
): boolean {
  const [hash, ...others] = key ?? [];
  return (
    others.length === 0 &&
    hash?.AttributeName === name &&
    types.some(({ AttributeName, AttributeType }) => AttributeName === name && AttributeType === "S")
  );
}

/** Whether the table has the driver's key. */
export const hasOwnKey = (found: TableDescription): boolean => isKeyed(found, found.KeySchema, OWN.id);

/** The driver's index in a table's description; `undefined` where it is missing. */
export const indexOf = (found: TableDescription | undefined): GlobalSecondaryIndexDescription | undefined =>
  found?.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === INDEX);
