import type { Driver } from "@sessions/core";
import { type Connection, isRefusal } from "./connection.ts";
import type { Sdk } from "./sdk.ts";
import { OWN, RANGE, sweepInput } from "./statements.ts";

/** The number of deletes at once: enough to be quick, and few of the client's 50 connections. */
const AT_ONCE = 16;

export function createSweep({ read, write, table }: Connection): Driver["sweep"] {
  // A sweep takes many calls. Each goes on at the page where the last one ended, and does not read earlier pages again.
  let place: string | undefined;

  async function scan(after: number, before: number): Promise<{ ids: string[]; next: string | undefined }> {
    const page = await read(
      // An eventually consistent read costs half. It is enough, because each delete checks the expiry again.
      (sdk) =>
        new sdk.ScanCommand({
          TableName: table,
          ProjectionExpression: "#i",
          FilterExpression: RANGE,
          ExpressionAttributeNames: { "#i": OWN.id, "#e": OWN.expiresAt },
          ExpressionAttributeValues: { ":after": { N: `${after}` }, ":before": { N: `${before}` } },
          ...(place !== undefined && { ExclusiveStartKey: { [OWN.id]: { S: place } } }),
        }),
    );
    return {
      ids: (page.Items ?? []).flatMap((item) => item[OWN.id]?.S ?? []),
      next: page.LastEvaluatedKey?.[OWN.id]?.S,
    };
  }

  async function remove(id: string, after: number, before: number): Promise<boolean> {
    const command = (sdk: Sdk) => new sdk.DeleteItemCommand(sweepInput(table, id, after, before));
    return !isRefusal(await write(command));
  }

  return async ({ after, before, limit }) => {
    let removed = 0;
    // A result of 0 must mean that the whole table holds nothing to remove, also where this call began in the middle.
    let whole = place === undefined;
    for (;;) {
      const { ids, next } = await scan(after, before);
      while (ids.length > 0) {
        const some = ids.splice(0, Math.min(AT_ONCE, limit - removed));
        const outcomes = await Promise.all(some.map((id) => remove(id, after, before)));
        removed += outcomes.filter(Boolean).length;
        if (removed === limit) return removed;
      }
      place = next;
      if (next !== undefined) continue;
      if (whole || removed > 0) return removed;
      whole = true;
    }
  };
}
