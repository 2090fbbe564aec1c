import { SessionConflictError } from "../base/errors.ts";
import type { CommitOutcome } from "../driver/contract.ts";
import { endingFields, isLive, type SessionRecord } from "../record/session-record.ts";
import { refuseInsecure } from "./secure.ts";
import { type Context, newState, pause, readNow, type State } from "./state.ts";
import { createRecord, foundGone, type Status } from "./write.ts";

/** So often a record is ended as it was read; then it is ended as it is, or others that write could go on for ever. */
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
 * Begins a session: the first, or the one that a login or `rotate()` asked for. Creates its record, then ends the old
 * one as it was read. In this order, and by compare-and-set, nothing that was acknowledged is lost, and a request in
 * flight with the old token finds its session gone.
 */
export async function beginSession(state: State): Promise<Status> {
  const { context, beginning, record: read } = state;
  const { driver, clock } = context.settings;
  // A first write begins a session as a login does, but from nothing.
  const { reason = "login", before = state } = beginning ?? {};
  const isLogin = reason === "login";
  if (isLogin) refuseInsecure(state);
  const takesOver = state.entries === before.entries;
  const left = state.successor ?? (before.closed && read?.id);
  let previous = left === undefined ? read : await readNow(context, left);

  for (let lost = 1; lost <= MOST_LOST + MOST_MOVED; lost++) {
    // A login stands by itself, and ends what `rotate()`s made of the old session: their cookies, still on their way,
    // must not replace the new one. A rotation goes on with what was; where that has ended there is nothing to go on.
    if (isLogin) previous = await lineEnd(context, previous);
    else if (!previous || !isLive(previous, clock())) return foundGone(state);
    // What another request rotated is handed to nobody but its principal: an old token may have been copied.
    const isOurs = previous && (previous.id === read?.id || previous.principal === state.principal);
    if (previous && previous !== read && takesOver && isOurs) state.entries.rebase(previous.fields);

    const fixedAt = state.expiry ?? (!isLogin && previous?.fixed ? previous.expiresAt : undefined);
    const { expiry } = state;
    const patch = state.entries.patch();
    const created = await createRecord(state, fixedAt);
    let outcome: CommitOutcome = "committed";
    try {
      // At last it ends what it has not seen: what others were told is stored since the read above goes with it.
      if (previous)
        outcome = await end(context, previous, isLogin ? undefined : created.id, lost >= MOST_LOST);
    } catch (error) {
      // The call may have done its work all the same. What cannot be read now expires: nobody was given its token.
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
      state.entries.settle(patch, created.fields);
      state.record = created;
      state.beginning = undefined;
      state.closed = undefined;
      state.successor = undefined;
      if (state.expiry === expiry) state.expiry = undefined;
      state.presented = undefined;
      state.send = "token";
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

/** Ends the session at once; afterwards the state is a fresh one. */
export async function logout(state: State): Promise<void> {
  const { context, record, closed, clientHasCookie } = state;
  const first = record?.id ?? state.successor;
  const ending = first === undefined ? undefined : await endLine(context, first, closed ? undefined : record);
  state.decoded.clear();
  const { access, touch, secure, openedAt, stores, decoded, sealed, headersSent, over, running, wasRead } =
    state;
  const lasting: Partial<State> = {
    ...{ access, touch, secure, openedAt, stores, decoded },
    ...{ sealed, headersSent, over, running, wasRead },
  };
  // Where another request ended it, that may have begun a new one: this one must not overwrite the newer cookie.
  const isMuted = closed === "muted" || ending === "replaced" || access === "id";
  Object.assign(
    state,
    newState(context, context.settings.clock(), {
      ...lasting,
      closed: isMuted ? "muted" : undefined,
      // An earlier ending of this request may have cleared it already.
      send: (!isMuted && ending && clientHasCookie) || state.send === "clear" ? "clear" : undefined,
    }),
  );
}
