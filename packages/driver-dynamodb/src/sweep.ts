import type { Driver } from "@sessions/core";
import type { Backend } from "./backend.ts";
import { OWN } from "./record.ts";
import { isRefusal } from "./requests.ts";
import type { Sdk } from "./sdk.ts";
import { RANGE, sweepInput } from "./statements.ts";

/** Deletes at once: enough to be quick, and few enough to leave the client's 50 connections to requests of users. */
const AT_ONCE = 16;

export function createSweep({ read, write, table }: Backend): Driver["sweep"] {
  // A table is swept by many calls. Each goes on at the page where the one before ended, or all would read what that
  // one left.
  let place: string | undefined;

  async function scan(after: number, before: number): Promise<{ ids: string[]; next: string | undefined }> {
    const page = await read(
      // Not read consistently, which costs half: a delete looks again.
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
    // 0 must mean that the whole table was read in vain, also where this call began in the middle.
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
