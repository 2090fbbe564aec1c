import { performance } from "node:perf_hooks";
import type { ListedRecord, ListPage } from "@sessions/core";
import { type Backend, INDEX } from "./backend.ts";
import { OWN, parseRecord } from "./record.ts";
import type { Item } from "./requests.ts";

/** What one BatchGetItem takes. */
const MOST_READ = 100;

const recordsOf = (items: readonly Item[]): ListedRecord[] =>
  items.flatMap((item) => parseRecord(item) ?? []);

const pageOf = (records: ListedRecord[], last: Item | undefined): ListPage => {
  const cursor = last?.[OWN.id]?.S;
  return { records, ...(cursor !== undefined && { cursor }) };
};

/** Every record, in the order of the service's own. */
export async function listAll(
  { read, table }: Backend,
  cursor: string | undefined,
  limit: number,
): Promise<ListPage> {
  const page = await read(
    (sdk) =>
      new sdk.ScanCommand({
        TableName: table,
        ConsistentRead: true,
        Limit: limit,
        ...(cursor !== undefined && { ExclusiveStartKey: { [OWN.id]: { S: cursor } } }),
      }),
  );
  return pageOf(recordsOf(page.Items ?? []), page.LastEvaluatedKey);
}

/** A principal's live records. The index cannot be read consistently, so it only says where to look. */
export async function listPrincipal(
  { read, table, timeout }: Backend,
  principal: string,
  cursor: string | undefined,
  limit: number,
  now: number,
): Promise<ListPage> {
  const end = performance.now() + timeout;
  const left = () => end - performance.now();
  const page = await read(
    (sdk) =>
      new sdk.QueryCommand({
        TableName: table,
        IndexName: INDEX,
        KeyConditionExpression: "#p = :p",
        ExpressionAttributeNames: { "#p": OWN.principal },
        ExpressionAttributeValues: { ":p": { S: principal } },
        Limit: Math.min(limit, MOST_READ),
        ...(cursor !== undefined && {
          ExclusiveStartKey: { [OWN.id]: { S: cursor }, [OWN.principal]: { S: principal } },
        }),
      }),
  );
  const items: Item[] = [];
  let keys: Item[] = (page.Items ?? []).flatMap(({ [OWN.id]: id }) => (id ? { [OWN.id]: id } : []));
  // An answer holds 16 MB; what is over that is asked for again.
  while (keys.length > 0) {
    const answer = await read(
      (sdk) =>
        new sdk.BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } }),
      left(),
    );
    items.push(...(answer.Responses?.[table] ?? []));
    keys = answer.UnprocessedKeys?.[table]?.Keys ?? [];
  }
  const own = (record: ListedRecord) => record.principal === principal && record.expiresAt > now;
  return pageOf(recordsOf(items).filter(own), page.LastEvaluatedKey);
}
