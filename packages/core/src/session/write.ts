import { SessionConflictError } from "../base/errors.ts";
import type { SessionCookie } from "../context/cookie.ts";
import { judgeSize } from "../context/size.ts";
import type { Change } from "../driver/contract.ts";
import { FIXED, isLive, ownFields, readRecord, type SessionRecord, TURNS } from "../record/session-record.ts";
import { merge, type Patch } from "../store/staged-fields.ts";
import { advance, formatTurns, type Turns } from "../token/rotation.ts";
import { digest, newToken, nextTurn, type Token } from "../token/token.ts";
import { expiryFrom, pause, readNow, type State, tokenOf, wantsRecord } from "./state.ts";

export type Status = "unchanged" | "committed" | "gone";

/** What a commit did, and what to send. */
export interface CommitResult {
  /**
   * `"gone"`: nothing was stored, because the session ended elsewhere, or because the request came with a token that
   * was ended a moment ago and must not overwrite a newer cookie.
   */
  readonly status: "unchanged" | "committed" | "gone";
  /** For clients without cookies, to be given to `load`; only when it is new. A secret: never log it. */
  readonly token: string | undefined;
  /** A Set-Cookie header's value, if one is to be sent. Repeated by each commit until one is sealed. */
  readonly setCookie: string | undefined;
  /** The same as an object, for frameworks with a `cookies.set()`. */
  readonly cookie: SessionCookie | undefined;
}

/** A commit that lost so often is given up: with the pauses between, that takes several seconds. */
const MOST_LOST = 64;
const MOST_COLLISIONS = 5;
/** Data that is written moves the expiry too, but not more often than this: moving it needs a compare-and-set. */
const EXPIRY_GRAIN_MS = 1000;

/** The session ended elsewhere: what was staged has nowhere to go. */
export function foundGone(state: State): "gone" {
  const { record, principal, context } = state;
  state.closed = "gone";
  state.beginning = undefined;
  state.entries.discard();
  if (record) context.emit("gone", { id: record.id, principal });
  return "gone";
}

/** Stores a record under the state's token, or another where that id is taken, and does not settle anything yet. */
export async function createRecord(state: State, fixedAt: number | undefined): Promise<SessionRecord> {
  const { settings } = state.context;
  const { principal, createdAt } = state;
  const now = settings.clock();
  const expiresAt = Math.min(fixedAt ?? now + settings.idle, createdAt + settings.absolute);
  const stores = state.entries.stores();
  for (let collisions = 0; collisions < MOST_COLLISIONS; collisions++) {
    const token = tokenOf(state);
    const fields = new Map([...ownFields(token, createdAt, now, fixedAt !== undefined), ...stores]);
    judgeSize(state.context, state.record?.fields, fields);
    const record = { expiresAt, fields, principal };
    if (await settings.driver.create(token.id, record, now)) {
      const created = readRecord(
        token.id,
        { ...record, version: 1 },
        settings.absolute,
        ++state.context.sizes.ticks,
      );
      if (created) return created;
    }
    state.token = newToken();
  }
  throw new SessionConflictError(
    `${MOST_COLLISIONS} new session ids in a row were taken: is the random source broken?`,
  );
}

/** What a commit would like to do beside its data, where nothing comes between: move the expiry, rotate. */
interface Aside {
  readonly fields: ReadonlyMap<string, string>;
  readonly expiresAt: number | undefined;
  readonly turns: Turns | undefined;
  /** The token to hand out. */
  readonly token: Token | undefined;
}

/** Where being used moves the expiry to; `undefined` where it is left. */
function touched(state: State, record: SessionRecord, now: number, hasData: boolean): number | undefined {
  if (!state.touch || record.fixed || state.expiry !== undefined) return undefined;
  const { settings } = state.context;
  const target = expiryFrom(settings, now, record.createdAt);
  // The last move, to the absolute timeout itself, may be a small one.
  const isLast = target === record.createdAt + settings.absolute;
  const least = isLast ? 1 : hasData ? Math.min(EXPIRY_GRAIN_MS, settings.touchEvery) : settings.touchEvery;
  return target - record.expiresAt >= Math.max(least, 1) ? target : undefined;
}

/** Whether a commit may have something to write or to send by now. */
export function isPending(state: State): boolean {
  const { record, context, access } = state;
  // Whatever else there is, no response is left for it.
  if (state.headersSent) return false;
  if (state.send || state.beginning || state.expiry !== undefined || state.decoded.size > 0) return true;
  if (!record) return wantsRecord(state);
  if (state.entries.isChanged()) return true;
  if (access === "id") return false;
  // Whether a turn is due takes more to find out than to wait for.
  const mayTurn = context.settings.rotation !== undefined && record.principal !== undefined;
  return mayTurn || touched(state, record, context.settings.clock(), false) !== undefined;
}

function asideOf(state: State, record: SessionRecord, now: number, hasData: boolean): Aside | undefined {
  const { settings } = state.context;
  // Once the response is on its way the request has been a use already, and there is no header left for a turn.
  if (state.access === "id" || (state.headersSent && !hasData)) return undefined;

  const expiresAt = touched(state, record, now, hasData);
  let turned: ReturnType<typeof advance>;
  let token: Token | undefined;
  if (settings.rotation && state.presented !== undefined && record.principal !== undefined) {
    token = state.headersSent ? undefined : nextTurn(tokenOf(state));
    const next = token && digest(token.turn);
    turned = advance(record.turns, state.presented, next, state.openedAt, settings.rotation);
  }
  if (expiresAt === undefined && !turned) return undefined;
  return {
    fields: new Map(turned && [[TURNS, formatTurns(turned.turns)]]),
    expiresAt,
    turns: turned?.turns,
    token: turned?.handOut ? token : undefined,
  };
}

/** What the program asked for: the stores' changes, and the expiry. */
function dataOf(state: State, record: SessionRecord, patch: Patch): Change | undefined {
  if (state.expiry === undefined) return patch.fields.size > 0 ? { fields: patch.fields } : undefined;
  const expiresAt = Math.min(state.expiry, record.createdAt + state.context.settings.absolute);
  return { fields: new Map(patch.fields).set(FIXED, "1"), expiresAt };
}

/** Writes what changed to a record that is stored: one call, more only where another commit came between. */
export async function writeRecord(state: State, read: SessionRecord): Promise<Status> {
  const { context } = state;
  const { driver, clock, absolute } = context.settings;
  let record = read;
  for (let lost = 1; ; lost++) {
    const now = clock();
    const { expiry } = state;
    if (!isLive(record, now)) return foundGone(state);
    const patch = state.entries.patch();
    const data = dataOf(state, record, patch);
    let aside = asideOf(state, record, now, data !== undefined);
    if (!data && !aside) {
      state.entries.settle(patch, record.fields);
      return "unchanged";
    }
    const sent =
      data && aside
        ? new Map([...data.fields, ...aside.fields])
        : (data?.fields ?? aside?.fields ?? new Map<string, string>());
    let fields = merge(record.fields, sent);
    const exact = (patch.fields.size > 0 && judgeSize(context, record.fields, fields, record)) || patch.exact;
    let change: Change = {
      fields: sent,
      expiresAt: data?.expiresAt ?? aside?.expiresAt,
      ifVersion: aside || exact ? record.version : undefined,
    };
    let outcome = await driver.commit(record.id, change, now);
    if (outcome === "conflict" && !exact) {
      // Touches and rotations give way, and a later request does them; data does not.
      if (!data) return "unchanged";
      aside = undefined;
      change = data;
      fields = merge(record.fields, change.fields);
      outcome = await driver.commit(record.id, change, now);
    }
    if (outcome === "gone") return foundGone(state);
    if (outcome === "committed") {
      state.record = {
        ...record,
        fields,
        // Where others committed too this is too low, and the next compare-and-set finds out.
        version: record.version + 1,
        expiresAt: Math.min(change.expiresAt ?? record.expiresAt, record.createdAt + absolute),
        fixed: fields.has(FIXED),
        turns: aside?.turns ?? record.turns,
      };
      if (state.expiry === expiry) state.expiry = undefined;
      state.entries.settle(patch, fields);
      if (aside?.token) {
        state.token = aside.token;
        state.send = "token";
        context.emit("rotated", { id: record.id, principal: record.principal, reason: "periodic" });
      }
      return "committed";
    }

    if (lost === MOST_LOST)
      throw new SessionConflictError(
        `A commit was given up, because other requests were faster ${MOST_LOST} times in a row`,
      );
    await pause(lost);
    const again = await readNow(context, record.id);
    if (!again) return foundGone(state);
    record = again;
    state.record = again;
    state.entries.rebase(again.fields);
  }
}
