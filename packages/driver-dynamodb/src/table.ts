import type {
  GlobalSecondaryIndexDescription,
  KeySchemaElement,
  TableDescription,
} from "@aws-sdk/client-dynamodb";
import { type Backend, INDEX } from "./backend.ts";
import { OWN } from "./record.ts";
import { type Item, isRefusal } from "./requests.ts";

/**
 * The table as the service describes it; `undefined` where there is none. It takes no longer than a call of a request may:
 * all that concerns tables begins with it, and so fails soon where the service is not there.
 */
export async function describe({ manage, table, timeout }: Backend): Promise<TableDescription | undefined> {
  const answer = await manage(
    (sdk) => new sdk.DescribeTableCommand({ TableName: table }),
    ["ResourceNotFoundException"],
    timeout,
  );
  return isRefusal(answer) ? undefined : answer.Table;
}

/** The attribute that TTL goes by, or will when it is enabled in an hour at most; `undefined` where it is off. */
export async function describeTtl({ manage, table }: Backend): Promise<string | undefined> {
  const answer = await manage((sdk) => new sdk.DescribeTimeToLiveCommand({ TableName: table }), []);
  const found = isRefusal(answer) ? undefined : answer.TimeToLiveDescription;
  const on = found?.TimeToLiveStatus === "ENABLED" || found?.TimeToLiveStatus === "ENABLING";
  return on ? found.AttributeName : undefined;
}

/** A session has two at least of these, which are numbers: one may be damaged. */
const NUMBERS = [OWN.version, OWN.expiresAt, OWN.ttl];
const isNumber = (name: string): string => `attribute_type(#${name}, :number)`;
const FOREIGN = `NOT (${NUMBERS.map((left) =>
  NUMBERS.filter((name) => name !== left)
    .map(isNumber)
    .join(" AND "),
)
  .map((pair) => `(${pair})`)
  .join(" OR ")})`;

/** Whose items a table holds: the whole is read, at half the cost of a consistent read. */
export async function contentOf({
  manage,
  table,
}: Backend): Promise<"sessions" | "nothing" | "other" | "gone"> {
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

/** Whether it has the driver's index, which nothing else is likely to have. */
export function hasOwnIndex(found: TableDescription): boolean {
  const index = indexOf(found);
  return index !== undefined && isKeyed(found, index.KeySchema, OWN.principal);
}

/** Whether a key is one attribute of text, and that one. */
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

export const hasOwnKey = (found: TableDescription): boolean => isKeyed(found, found.KeySchema, OWN.id);

export const indexOf = (found: TableDescription | undefined): GlobalSecondaryIndexDescription | undefined =>
  found?.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === INDEX);
