import { type Context, readNow } from "../context/context.ts";
import { isLive, type SessionRecord } from "../record/session-record.ts";

/** The most `rotate()`s in a row that a login or logout follows. */
export const MOST_STEPS = 16;

/** Follows `rotate()`s from a record to the last one, which may have ended. */
export async function lastOf(
  context: Context,
  from: SessionRecord | undefined,
): Promise<SessionRecord | undefined> {
  let record = from;
  for (let step = 0; step < MOST_STEPS && record?.ended?.successor; step++)
    record = await readNow(context, record.ended.successor);
  return record;
}

/** Follows `rotate()`s from a record to the live session at the end, if there is one. */
export async function lineEnd(
  context: Context,
  from: SessionRecord | undefined,
): Promise<SessionRecord | undefined> {
  const record = await lastOf(context, from);
  return record && isLive(record, context.settings.clock()) ? record : undefined;
}
