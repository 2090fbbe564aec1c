import type {
  GlobalSecondaryIndexDescription,
  KeySchemaElement,
  TableDescription,
} from "@aws-sdk/client-dynamodb";
import { type Backend, INDEX } from "./backend.ts";
import { OWN } from "./record.ts";
import { isRefusal } from "./requests.ts";

/** The table as the service describes it; `undefined` where there is none. */
export async function describe({ manage, table }: Backend): Promise<TableDescription | undefined> {
  const answer = await manage(
    (sdk) => new sdk.DescribeTableCommand({ TableName: table }),
    ["ResourceNotFoundException"],
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
