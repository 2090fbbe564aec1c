import { SessionError } from "../base/errors.ts";
import { type Context, readNow } from "../context/context.ts";
import { isListingDriver } from "../driver/abilities.ts";
import type { ListingDriver } from "../driver/contract.ts";
import { isLive, readRecord, type SessionRecord } from "../record/session-record.ts";
import { lineEnd, MOST_STEPS } from "./line.ts";

const PAGE = 500;
/** How long an index may lag. */
export const LAG_MS = 1000;

export function listing(
  { settings: { driver } }: Context,
  method: string,
  principal: string | undefined,
): ListingDriver {
  const lists = isListingDriver(driver);
  if (lists && !(driver.principalsOnly && principal === undefined)) return driver;
  throw new SessionError(
    "ERR_SESSION_UNSUPPORTED",
    lists
      ? `${method}() of everyone needs a driver that lists all sessions; "${driver.name}" lists only those of a principal`
      : `${method}() needs a driver that can list; "${driver.name}" cannot`,
  );
}

/**
 * Every record that is live in the backend, page by page. A record may come twice. Some may have passed this manager's
 * absolute timeout, but another process may have a longer one.
 */
export async function* liveRecords(
  context: Context,
  method: string,
  principal?: string,
): AsyncGenerator<SessionRecord> {
  const driver = listing(context, method, principal);
  const { clock } = context.settings;
  let cursor: string | undefined;
  do {
    const now = clock();
    const page = await driver.list({ limit: PAGE, principal, cursor }, now);
    for (const { id, ...stored } of page.records) {
      const record = readRecord(id, stored, Number.POSITIVE_INFINITY);
      if (record && isLive(record, now)) yield record;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Ends a session, or the session that replaced it meanwhile by `rotate()`. */
export async function destroyLine(
  context: Context,
  record: SessionRecord,
): Promise<SessionRecord | undefined> {
  const { driver, clock } = context.settings;
  for (let step = 0, at: SessionRecord | undefined = record; at && step <= MOST_STEPS; step++) {
    if (await driver.destroy(at.id, clock())) return at;
    at = await lineEnd(context, await readNow(context, at.id));
  }
  return undefined;
}
