import { type Context, readNow } from "../context/context.ts";
import { isLive, type SessionRecord } from "../record/session-record.ts";
import { createSession } from "../session/managed-session.ts";
import type { Session } from "../session/session.ts";
import { type Opened, storedState } from "../session/state.ts";
import { isId } from "../token/token.ts";

/** The record of an id: live, expired or ended. A text that is not an id costs no call to the backend. */
export const find = async (context: Context, id: string): Promise<SessionRecord | undefined> =>
  isId(id) ? readNow(context, id) : undefined;

/** The record of an id, if it is live. */
export async function findLive(context: Context, id: string): Promise<SessionRecord | undefined> {
  const record = await find(context, id);
  return record && isLive(record, context.settings.clock()) ? record : undefined;
}

export async function get(context: Context, id: string): Promise<Session | undefined> {
  const record = await findLive(context, id);
  const opened: Opened = { by: "id", touch: true, secure: false, at: context.settings.clock() };
  return record && createSession(storedState(context, opened, record));
}
