import { SessionConflictError } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { type Context, readNow } from "../context/context.ts";
import type { CommitOutcome } from "../driver/contract.ts";
import { endingFields, isLive, type SessionRecord } from "../record/session-record.ts";
import { refuseInsecure } from "./secure.ts";
import type { Status } from "./session.ts";
import type { State } from "./state.ts";
import { createRecord, foundGone } from "./write.ts";

/** A record is ended as it was read so often; then it is ended unread, or others that write could hold it up for ever. */
const MOST_LOST = 5;
/** So many more times the record may turn out to have been replaced meanwhile. */
const MOST_MOVED = 5;
/** More than clocks differ, so that an ended record is expired for everybody. */
const ENDED_AGO_MS = 60_000;
/** As many `rotate()`s in a row as a login or logout follows. */
export const MOST_STEPS = 16;

/** Empties the record and moves its expiry into the past; only as it was read, unless `always`. */
function end(
  { settings }: Context,
  record: SessionRecord,
  successor?: string,
  always = false,
): Promise<CommitOutcome> {
  const now = settings.clock();
  return settings.driver.commit(
    record.id,
    {
      fields: endingFields(record, now, successor),
      expiresAt: now - ENDED_AGO_MS,
      principal: record.principal === undefined ? undefined : null,
      ifVersion: always ? undefined : record.version,
    },
    now,
  );
}

/** The last record in a line of `rotate()`s, ended ones included. */
async function lastOf(context: Context, from: SessionRecord | undefined): Promise<SessionRecord | undefined> {
  let record = from;
  for (let step = 0; step < MOST_STEPS && record?.ended?.successor; step++)
    record = await readNow(context, record.ended.successor);
  return record;
}

/** Where a line of `rotate()`s has come to from a record: the live session at its end, if there is one. */
export async function lineEnd(
  context: Context,
  from: SessionRecord | undefined,
): Promise<SessionRecord | undefined> {
  const record = await lastOf(context, from);
  return record && isLive(record, context.settings.clock()) ? record : undefined;
}

/**
 * Begins a session: the first, or the one that a login or `rotate()` asked for. Creates the new record, then ends the old
 * one as it was read. In this order, and by compare-and-set, nothing that was acknowledged is lost, and a request that is
 * on its way with the old token finds its session gone.
 */
export async function replaceSession(state: State): Promise<Status> {
  const { context, phase, staged, record: read } = state;
  const { driver, clock } = context.settings;
  const isReplacing = phase.kind === "replacing";
  const from = isReplacing ? phase.from : phase;
  // A first write begins a session as a login does, but from nothing.
  const reason = isReplacing ? phase.reason : "login";
  const isLogin = reason === "login";
  if (isLogin) refuseInsecure(context, state.opened.secure);
  const takesOver = !isReplacing || staged.fields === phase.fieldsBefore;
  const left = from.kind === "muted" ? from.successor : from.kind === "gone" && read?.id;
  let previous = left ? await readNow(context, left) : read;

  for (let lost = 1; lost <= MOST_LOST + MOST_MOVED; lost++) {
    // A login stands by itself. It ends what `rotate()` made of the old session, too: those cookies are still on their
    // way, and must not replace the new one. A rotation goes on with what was; where that has ended it ends as well.
    if (isLogin) previous = await lineEnd(context, previous);
    else if (!previous || !isLive(previous, clock())) return foundGone(state);
    // What another request rotated goes to its own principal alone: an old token may have been copied.
    const isOurs = previous && (previous.id === read?.id || previous.principal === phase.principal);
    if (previous && previous !== read && takesOver && isOurs) staged.fields.rebase(previous.fields);

    const { expiry } = staged;
    const fixedAt = expiry ?? (!isLogin && previous?.fixed ? previous.expiresAt : undefined);
    const patch = staged.fields.patch();
    const created = await createRecord(state, fixedAt);
    let outcome: CommitOutcome = "committed";
    try {
      // The last try ends the record unread: what others were told is stored since the read above goes with it.
      if (previous)
        outcome = await end(context, previous, isLogin ? undefined : created.id, lost >= MOST_LOST);
    } catch (error) {
      // The call may have done its work all the same. If it cannot be read now, the new record expires unused: no client
      // was given its token.
      const left = await readNow(context, previous?.id ?? "").catch(() => {
        throw error;
      });
      if (isLogin && left?.ended?.successor) outcome = "conflict";
      else if (isLogin ? left && !left.ended : left?.ended?.successor !== created.id) {
        await driver.destroy(created.id, clock()).catch(() => false);
        throw error;
      }
    }

    if (outcome === "committed") {
      state.began(created, patch, expiry);
      const named = { id: created.id, principal: created.principal };
      if (previous) context.emit("rotated", { ...named, reason });
      else context.emit("created", named);
      return "committed";
    }

    await driver.destroy(created.id, clock());
    await pause(lost);
    previous = previous && (await readNow(context, previous.id));
  }
  throw new SessionConflictError(
    `A ${reason} was given up, because other requests were faster ${MOST_MOVED} times in a row`,
  );
}

/** How a logout found the session that it was to end. */
type Ending = "ended" | "missing" | "replaced";

/**
 * Ends a session for a logout and, where a `rotate()` was faster, the one that took its place: a user who logged out stays
 * out, whichever response arrives last.
 *
 * @returns `"missing"` where there is nothing to end and no note of a login, `rotate()` or logout elsewhere: the session
 * expired, or was destroyed, perhaps by this request.
 */
async function endLine(context: Context, first: string, read?: SessionRecord): Promise<Ending> {
  let id = first;
  let record = read;
  for (let lost = 0; lost <= MOST_LOST; lost++) {
    record = await lastOf(context, record ?? (await readNow(context, id)));
    if (!record?.ended && !(record && isLive(record, context.settings.clock()))) return "missing";
    if (record.ended) return "replaced";
    id = record.id;
    // A logout must not fail for others that write: at last it ends what it has not seen.
    if ((await end(context, record, undefined, lost === MOST_LOST)) === "committed") {
      context.emit("destroyed", { id, principal: record.principal, reason: "logout" });
      return "ended";
    }
    record = undefined;
  }
  return "replaced";
}

/** Ends the session at once; afterwards the state is that of a fresh session, or of a muted one. */
export async function logout(state: State): Promise<void> {
  const { context, phase, record, opened, response } = state;
  const isMuted = phase.kind === "muted";
  const first = isMuted ? phase.successor : record?.id;
  const isEnded = isMuted || phase.kind === "gone";
  const ending =
    first === undefined ? undefined : await endLine(context, first, isEnded ? undefined : record);
  // Where another request ended it, that may have begun a new one: this one must not overwrite the newer cookie.
  const stayMuted = isMuted || ending === "replaced" || opened.by === "id";
  state.loggedOut(stayMuted, !stayMuted && ending !== undefined && response.clientHasCookie);
}
