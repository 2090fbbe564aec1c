import { setTimeout } from "node:timers/promises";
import { SessionConflictError, SessionLimitError } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import type { Settings } from "../context/settings.ts";
import { mergeFields } from "../driver/change.ts";
import { CLAIM, type SessionRecord } from "../record/session-record.ts";
import { destroyLine, LAG_MS, listing, liveRecords } from "./listing.ts";
import type { State } from "./state.ts";
import { expiryOf } from "./timeouts.ts";

/** How often a claim looks whether those that came with it have given way. */
const MOST_LOOKS = 5;

/** The new record of a login that has its place, and what to call when the login stands. */
interface Placed {
  readonly created: SessionRecord;
  readonly tell?: (() => void) | undefined;
}

/** Names a login, so that older ones sort first. A rotation has two records of one login for a moment. */
const loginOf = ({ id, createdAt, login }: SessionRecord): string =>
  `${String(createdAt).padStart(16, "0")} ${login.id ?? id}`;

/**
 * Gives a login its place among the sessions of its user. If it rejects, the created record is destroyed.
 *
 * Every login creates its record first and lists then. So of several that overlap, the one whose record was created last
 * sees all the others, and together they never leave too many. If the driver lists late, we look once more after the lag.
 *
 * @param replaced The session that this login is about to end. It does not count.
 */
export async function takePlace(
  state: State,
  created: SessionRecord,
  replaced: SessionRecord | undefined,
  { sessions: most, refuses }: NonNullable<Settings["perPrincipal"]>,
): Promise<Placed> {
  const { context } = state;
  const { driver, clock } = context.settings;
  const { principal } = created;
  const own = loginOf(created);
  const driverLags = listing(context, "login", principal).eventualList === true;
  const leastLooks = driverLags ? 2 : 1;
  let tell: Placed["tell"];

  /** The records of the user's logins, by login. An index that lags may not name the new one yet. */
  async function logins(): Promise<Map<string, SessionRecord[]>> {
    const found = new Map([[own, [created]]]);
    for await (const record of liveRecords(context, "login", principal))
      found.set(loginOf(record), [...(found.get(loginOf(record)) ?? []), record]);
    if (replaced) found.delete(loginOf(replaced));
    return found;
  }

  /** Ends the oldest logins, even this one if others that overlap are newer. Clocks decide which are oldest. */
  async function endOldest(): Promise<void> {
    const found = await logins();
    for (const login of [...found.keys()].sort().reverse().slice(most))
      for (const record of found.get(login) ?? []) {
        const ended = await destroyLine(context, record);
        const event = (): void =>
          context.emit("destroyed", { id: ended?.id ?? "", principal, reason: "limit" });
        // A session is told to begin before it is told to have ended.
        if (ended && login === own) tell = event;
        else if (ended) event();
      }
  }

  /**
   * Returns whether there is a place for this claim, or throws. Every claim counts. If there are places, but fewer than
   * claims, the oldest wait until the others have given way, so that no place is lost.
   */
  async function hasPlace(isLast: boolean): Promise<boolean> {
    const found = await logins();
    const claims = [...found.keys()].filter((login) => found.get(login)?.[0]?.fields.has(CLAIM)).sort();
    const free = most - found.size + claims.length;
    if (claims.length <= free) return true;
    if (!isLast && claims.indexOf(own) < free) return false;
    throw new SessionLimitError(
      `The user has ${most} sessions, the most of maxPerPrincipal. One of them must log out first`,
    );
  }

  try {
    for (let look = 1; ; look++) {
      const isPlaced = refuses ? await hasPlace(look >= MOST_LOOKS) : await endOldest().then(() => true);
      if (isPlaced && look >= leastLooks) break;
      await (driverLags ? setTimeout(LAG_MS) : pause(look));
    }
    if (!refuses) return { created, tell };
    // The claim becomes a session.
    const expiresAt = expiryOf(state, state.expiry);
    const fields = new Map([[CLAIM, null]]);
    const change = { fields, expiresAt, ifVersion: created.version };
    if ((await driver.commit(created.id, change, clock())) !== "committed")
      throw new SessionConflictError("The login took too long to get its place");
    const version = created.version + 1;
    return {
      created: { ...created, version, expiresAt, fields: mergeFields(new Map(created.fields), fields) },
    };
  } catch (error) {
    await driver.destroy(created.id, clock()).catch(() => false);
    throw error;
  }
}
