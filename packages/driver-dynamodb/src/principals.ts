import { performance } from "node:perf_hooks";
import type { ListedRecord, ListPage } from "@sessions/core";
import type { Connection, Item } from "./connection.ts";
import { INDEX, OWN, pageOf } from "./statements.ts";

/** The most items that one BatchGetItem takes. */
const MOST_READ = 100;

/** A page of a principal's live records. The index cannot be read consistently, so each record is read again. */
export async function listPrincipal(
  { read, table, timeout }: Connection,
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
  // A reply holds 16 MB; the rest is requested again.
  while (keys.length > 0) {
    const reply = await read(
      (sdk) =>
        new sdk.BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } }),
      left(),
    );
    items.push(...(reply.Responses?.[table] ?? []));
    keys = reply.UnprocessedKeys?.[table]?.Keys ?? [];
  }
  const { records, ...rest } = pageOf(items, page.LastEvaluatedKey);
  const isOwn = (record: ListedRecord) => record.principal === principal && record.expiresAt > now;
  return { records: records.filter(isOwn), ...rest };
}
