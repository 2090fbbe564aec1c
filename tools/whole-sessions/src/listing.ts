import { setTimeout as sleep } from "node:timers/promises";
import { type Driver, isListingDriver, type ListedRecord, SessionError } from "@sessions/core";

/** How many records a page of a listing holds. */
const PAGE = 1000;
/** How long an index may lag behind its records. */
const LAG_MS = 1000;
/** Others may go on logging in while `endAllOf` lists. */
const MOST_ROUNDS = 10;

/** Whose sessions are listed. */
export interface Listed {
  /** The function that an error names. */
  readonly name: string;
  /** Whether a record is one of the host's sessions: others may share the backend. */
  isOurs(record: ListedRecord): boolean;
}

/** Lists the live sessions, of a principal or all of them. @throws SessionError `ERR_SESSION_UNSUPPORTED` */
export async function listSessions(
  backend: Driver,
  { name, isOurs }: Listed,
  principal?: string,
): Promise<{ records: ListedRecord[]; lags: boolean }> {
  if (!isListingDriver(backend) || (backend.principalsOnly && principal === undefined))
    throw new SessionError(
      "ERR_SESSION_UNSUPPORTED",
      principal === undefined
        ? `${name}: the driver "${backend.name}" cannot list all sessions, which all(), length() and clear() need. Use a driver that can list.`
        : `${name}: the driver "${backend.name}" cannot list a user's sessions, which destroyAll() needs. Use a driver that can list.`,
    );
  const now = Date.now();
  const found = new Map<string, ListedRecord>();
  let cursor: string | undefined;
  do {
    const page = await backend.list({ limit: PAGE, principal, cursor }, now);
    for (const record of page.records)
      if (record.expiresAt > now && isOurs(record)) found.set(record.id, record);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { records: [...found.values()], lags: backend.eventualList === true };
}

/** Ends the sessions of a principal, those too that begin while it lists. Returns how many `end` has ended. */
export async function endAllOf(
  backend: Driver,
  listed: Listed,
  principal: string,
  end: (id: string) => Promise<boolean>,
): Promise<number> {
  const done = new Set<string>();
  let count = 0;
  let hasWaited = false;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { records, lags } = await listSessions(backend, listed, principal);
    const fresh = records.filter(({ id }) => !done.has(id));
    for (const { id } of fresh) {
      done.add(id);
      if (await end(id)) count++;
    }
    if (fresh.length > 0) continue;
    if (!lags || hasWaited) break;
    hasWaited = true;
    await sleep(LAG_MS);
  }
  return count;
}
