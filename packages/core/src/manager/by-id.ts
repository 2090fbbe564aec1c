import { checkOptions, epochOf } from "../base/options.ts";
import { type Context, readNow } from "../context/context.ts";
import { checkPrincipal } from "../record/field-names.ts";
import { FIXED, isLive, type SessionRecord } from "../record/session-record.ts";
import { createSession } from "../session/managed-session.ts";
import type { Session } from "../session/session.ts";
import { type Opened, storedState } from "../session/state.ts";
import { isId } from "../token/token.ts";

/** The record of an id: live, expired or ended. A text that is not an id costs no call to the backend. */
const find = async (context: Context, id: string): Promise<SessionRecord | undefined> =>
  isId(id) ? readNow(context, id) : undefined;

/** The record of an id, if it is live. */
async function findLive(context: Context, id: string): Promise<SessionRecord | undefined> {
  const record = await find(context, id);
  return record && isLive(record, context.settings.clock()) ? record : undefined;
}

export async function get(context: Context, id: string): Promise<Session | undefined> {
  const record = await findLive(context, id);
  const opened: Opened = {
    by: "id",
    touch: true,
    secure: false,
    device: undefined,
    at: context.settings.clock(),
  };
  return record && createSession(storedState(context, opened, record));
}

export async function exists(context: Context, id: string): Promise<boolean> {
  const record = await find(context, id);
  return record !== undefined && !record.ended;
}

export const valid = async (context: Context, id: string): Promise<boolean> =>
  (await findLive(context, id)) !== undefined;

export async function destroy(
  context: Context,
  id: string,
  options: { principal?: string | undefined } = {},
): Promise<boolean> {
  checkOptions("sessions.destroy", options, ["principal"]);
  const { principal } = options;
  if ("principal" in options) checkPrincipal(principal);
  const { driver, clock } = context.settings;
  const record = await find(context, id);
  if (!record || record.ended || (principal !== undefined && record.principal !== principal)) return false;
  const now = clock();
  // Destroy it even if only this manager's absolute timeout has ended it: another process may have a longer one.
  if (!(await driver.destroy(id, now)) || !isLive(record, now)) return false;
  context.emit("destroyed", { id, principal: record.principal, reason: "admin" });
  return true;
}

export async function setExpiry(context: Context, id: string, at: Date): Promise<boolean> {
  const ms = epochOf(at);
  const record = await findLive(context, id);
  if (!record) return false;
  const { driver, clock, absolute } = context.settings;
  const expiresAt = Math.min(ms, record.createdAt + Math.min(absolute, record.login.absolute));
  const fields = new Map([[FIXED, "1"]]);
  return (await driver.commit(id, { fields, expiresAt }, clock())) === "committed";
}
