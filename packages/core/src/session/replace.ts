import { SessionConflictError } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { type Context, readNow } from "../context/context.ts";
import type { CommitOutcome } from "../driver/contract.ts";
import { endingFields, isLive, type SessionRecord } from "../record/session-record.ts";
import { lastOf, lineEnd } from "./line.ts";
import { refuseInsecure } from "./secure.ts";
import type { Status } from "./session.ts";
import type { State } from "./state.ts";
import { createRecord, foundGone } from "./write.ts";

/** After this many lost races a record is ended unread. Otherwise other writers could delay a login for ever. */
const MOST_LOST = 5;
/** How many more times we try if the record has been replaced meanwhile. */
const MOST_MOVED = 5;
/** Longer than clocks differ, so that an ended record is expired for every process. */
const ENDED_AGO_MS = 60_000;

/** A login that waits for its place has it within this time, or its process has died. */
const CLAIM_MS = 30_000;
/** Loaded at the first login that needs it. */
const limits = () => import("./limit.ts");

/** Empties the record and moves its expiry into the past. Compares the version that was read, unless `always`. */
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
      fields: endingFields(record, now, successor, settings.maxFields),
      expiresAt: now - ENDED_AGO_MS,
      principal: record.principal === undefined ? undefined : null,
      ifVersion: always ? undefined : record.version,
    },
    now,
  );
}

/**
 * Begins a session: a first one, or the one for a login or `rotate()`. Creates the new record, then ends the old one by
 * compare-and-set. This order loses nothing that was acknowledged, and a request that is on its way with the old token
 * finds its session gone.
 */
export async function replaceSession(state: State): Promise<Status> {
  const { context, phase, record: read } = state;
  const { driver, clock } = context.settings;
  const isReplacing = phase.kind === "replacing";
  const from = isReplacing ? phase.from : phase;
  // A first write begins a session as a login does, but from nothing.
  const reason = isReplacing ? phase.reason : "login";
  const isLogin = reason === "login";
  if (isLogin) refuseInsecure(context, state.opened.secure);
  const limit = isReplacing && isLogin ? context.settings.perPrincipal : undefined;
  const takesOver = !isReplacing || state.fields === phase.fieldsBefore;
  const left = from.kind === "muted" ? from.successor : from.kind === "gone" && read?.id;
  let previous = left ? await readNow(context, left) : read;

  for (let lost = 1; lost <= MOST_LOST + MOST_MOVED; lost++) {
    // A login does not depend on the old session. It also ends the sessions that `rotate()` made of it: their cookies
    // are still on their way and must not replace the new one. A rotation continues the old session, and ends if that
    // ended.
    if (isLogin) previous = await lineEnd(context, previous);
    else if (!previous || !isLive(previous, clock())) return foundGone(state);
    // Take over a session that another request rotated only for the same principal: an old token may have been copied.
    const isOurs = previous && (previous.id === read?.id || previous.principal === phase.principal);
    if (previous && previous !== read && takesOver && isOurs) state.fields.rebase(previous.fields);

    const { expiry } = state;
    const fixedAt = expiry ?? (!isLogin && previous?.fixed ? previous.expiresAt : undefined);
    const patch = state.fields.patch();
    let created = await createRecord(state, fixedAt, limit?.refuses ? CLAIM_MS : undefined);
    let tell: (() => void) | undefined;
    if (limit) ({ created, tell } = await (await limits()).takePlace(state, created, previous, limit));
    let outcome: CommitOutcome = "committed";
    try {
      // The last try ends the record unread. Changes that others committed since the read above are lost with it.
      if (previous)
        outcome = await end(context, previous, isLogin ? undefined : created.id, lost >= MOST_LOST);
    } catch (error) {
      // The failed call may have ended the record nevertheless. If we cannot read it, the new record expires unused,
      // because no client has its token.
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
      if (previous) context.emit("rotated", { ...named, previousId: previous.id, reason });
      else context.emit("created", named);
      tell?.();
      return "committed";
    }

    await driver.destroy(created.id, clock());
    await pause(lost);
    previous = previous && (await readNow(context, previous.id));
  }
  throw new SessionConflictError(
    `The ${reason} was given up, because other requests were faster ${MOST_MOVED} times in a row`,
  );
}

/** What a logout did: it ended the session, found none, or found that another request had ended it. */
type Ending = "ended" | "missing" | "replaced";

/**
 * Ends a session for a logout. If a `rotate()` was faster, it ends the session that replaced it, so that the user stays
 * logged out whichever response arrives last.
 *
 * @returns `"missing"` if there is nothing to end and no note of a login, `rotate()` or logout elsewhere. The session
 * expired or was destroyed, perhaps by this request.
 */
async function endLine(
  context: Context,
  first: string,
  read?: SessionRecord,
  successor?: string,
): Promise<Ending> {
  let id = first;
  let record = read;
  for (let lost = 0; lost <= MOST_LOST; lost++) {
    record = await lastOf(context, record ?? (await readNow(context, id)));
    if (!record?.ended && !(record && isLive(record, context.settings.clock()))) return "missing";
    if (record.ended) return "replaced";
    id = record.id;
    // A logout must not fail because of other writers: the last try ends the record unread.
    if ((await end(context, record, successor, lost === MOST_LOST)) === "committed") {
      context.emit("destroyed", { id, principal: record.principal, reason: "logout" });
      return "ended";
    }
    record = undefined;
  }
  return "replaced";
}

/**
 * Ends the session at once. Afterwards the state is a fresh session or a muted one.
 *
 * @param successor The id of the session that takes its place, if it is known already.
 */
export async function logout(state: State, successor?: string): Promise<void> {
  const { context, phase, record, opened, response } = state;
  const isMuted = phase.kind === "muted";
  const first = isMuted ? phase.successor : record?.id;
  const isEnded = isMuted || phase.kind === "gone";
  const ending =
    first === undefined ? undefined : await endLine(context, first, isEnded ? undefined : record, successor);
  // The request that ended the session may have begun a new one. This request must not overwrite the newer cookie.
  const stayMuted = isMuted || ending === "replaced" || opened.by === "id";
  state.loggedOut(stayMuted, !stayMuted && ending !== undefined && response.clientHasCookie);
}
