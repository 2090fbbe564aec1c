import type { DestroyAllQuery, Driver, SessionManager } from "@sessions/core";
import { endAllOf, listSessions } from "@sessions/whole-sessions";
import type { Marks } from "../adoption.ts";
import { LISTED } from "../layout.ts";

interface Query {
  readonly principal?: string | undefined;
  readonly except?: string | undefined;
  readonly label?: string | undefined;
  readonly everyone?: true;
}

/**
 * The manager's `destroyAll`, which also ends the sessions that wait in the store that the site had, and those that only
 * express-session has written. The count does not know the former.
 */
export function destroyAllOf(
  sessions: SessionManager,
  backend: Driver,
  marks: Marks | undefined,
): SessionManager["destroyAll"] {
  return async (query: DestroyAllQuery) => {
    const { principal, except, label }: Query = query;
    // First the manager's: it refuses a query that is wrong.
    const count = await sessions.destroyAll(query);
    // Only core's login() gives a label.
    if (label !== undefined) return count;
    await marks?.barAll(principal);
    const end = async (id: string): Promise<boolean> => id !== except && backend.destroy(id, Date.now());
    if (principal !== undefined) return count + (await endAllOf(backend, LISTED, principal, end));
    let more = 0;
    for (const { id } of (await listSessions(backend, LISTED)).records) if (await end(id)) more++;
    return count + more;
  };
}
