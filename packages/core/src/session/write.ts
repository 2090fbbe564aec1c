import { SessionConflictError } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { readNow } from "../context/context.ts";
import { judgeSize } from "../context/size.ts";
import { mergeFields } from "../driver/change.ts";
import type { Change } from "../driver/contract.ts";
import {
  CLAIM,
  FIXED,
  GENERATIONS,
  isLive,
  LOGIN,
  META,
  ownFields,
  readRecord,
  type SessionRecord,
} from "../record/session-record.ts";
import type { Patch } from "../store/staged-fields.ts";
import { advance, formatGenerations, type Generations } from "../token/rotation.ts";
import { digest, nextGeneration, type Token } from "../token/token.ts";
import { metaOf } from "./meta.ts";
import { isSent, touched } from "./pending.ts";
import type { Status } from "./session.ts";
import type { State } from "./state.ts";
import { expiryOf, timeoutsOf } from "./timeouts.ts";

/** A commit gives up after this many lost races. With the pauses between them, that takes several seconds. */
const MOST_LOST = 64;
const MOST_COLLISIONS = 5;

/** Notes that the session ended elsewhere, and drops what was staged. */
export function foundGone(state: State): "gone" {
  const { record, phase, context } = state;
  state.foundGone();
  if (record) context.emit("gone", { id: record.id, principal: phase.principal });
  return "gone";
}

/**
 * Stores a record under the state's token, or under another if that id is taken. Does not change the state's phase.
 *
 * @param claimMs The record is a claim, and expires after this time.
 */
export async function createRecord(
  state: State,
  fixedAt: number | undefined,
  claimMs?: number,
): Promise<SessionRecord> {
  const { context, record: read, login } = state;
  const { settings, sizes } = context;
  const { principal, createdAt } = state.phase;
  const now = settings.clock();
  const expiresAt = claimMs ? now + claimMs : expiryOf(state, fixedAt);
  const stores = state.fields.stores();
  if (claimMs) stores.set(CLAIM, "1");
  const meta = metaOf(state);
  if (meta) stores.set(META, meta);
  if (login.text !== undefined) stores.set(LOGIN, login.text);
  for (let collisions = 0; collisions < MOST_COLLISIONS; collisions++) {
    const { token } = state;
    const fields = new Map([...ownFields(token, createdAt, now, fixedAt !== undefined), ...stores]);
    judgeSize(context, principal, read?.fields, fields);
    const record = { expiresAt, fields, principal };
    if (await settings.driver.create(token.id, record, now)) {
      const created = readRecord(token.id, { ...record, version: 1 }, settings.absolute, ++sizes.ticks);
      if (created) return created;
    }
    state.renewToken();
  }
  throw new SessionConflictError(
    `A new id was taken ${MOST_COLLISIONS} times in a row: is the random source broken?`,
  );
}

/** What a commit writes beside its data, but only if no other commit came between: the expiry and a rotation. */
interface Opportunistic {
  readonly expiresAt: number | undefined;
  readonly generations: Generations | undefined;
  /** The token to send. */
  readonly token: Token | undefined;
}

function opportunisticOf(
  state: State,
  record: SessionRecord,
  now: number,
  hasData: boolean,
): Opportunistic | undefined {
  const { opened, phase, context } = state;
  const { rotation } = context.settings;
  const sent = isSent(state);
  // After the headers went out, the request has already counted as a use, and no header can carry a new token.
  if (opened.by === "id" || (sent && !hasData)) return undefined;

  const expiresAt = touched(state, record, now, hasData);
  const presented = phase.kind === "stored" ? phase.presented : undefined;
  let generations: Generations | undefined;
  let token: Token | undefined;
  if (rotation && presented !== undefined && record.principal !== undefined) {
    token = sent ? undefined : nextGeneration(state.token);
    const next = token && digest(token.generation);
    generations = advance(record.generations, presented, next, opened.at, rotation);
    // It is not time for a new one yet.
    if (generations?.at(-1)?.digest !== next) token = undefined;
  }
  return expiresAt === undefined && !generations ? undefined : { expiresAt, generations, token };
}

/** The program's own changes: those of the stores, and the expiry. */
function dataOf(state: State, { fields }: Patch): Change | undefined {
  const { expiry, newPrincipal: principal } = state;
  if (expiry === undefined)
    return fields.size > 0 || principal !== undefined ? { fields, principal } : undefined;
  const expiresAt = Math.min(expiry, timeoutsOf(state).end);
  return { fields: new Map(fields).set(FIXED, "1"), expiresAt, principal };
}

/** Writes the changes to a stored record. It takes one call, and more only if another commit came between. */
export async function writeRecord(state: State, read: SessionRecord): Promise<Status> {
  const { context } = state;
  const { driver, clock } = context.settings;
  let record = read;
  for (let lost = 1; ; lost++) {
    const now = clock();
    const { expiry } = state;
    if (!isLive(record, now)) return foundGone(state);
    const patch = state.fields.patch();
    const data = dataOf(state, patch);
    let opportunistic = opportunisticOf(state, record, now, data !== undefined);
    if (!data && !opportunistic) {
      state.acknowledge(patch, record.fields, expiry);
      return "unchanged";
    }
    const { generations, expiresAt } = opportunistic ?? {};
    const sent = new Map(data?.fields);
    const meta = expiresAt && metaOf(state);
    if (meta) sent.set(META, meta);
    if (generations) sent.set(GENERATIONS, formatGenerations(generations));
    let fields = mergeFields(new Map(record.fields), sent);
    const exact =
      (patch.fields.size > 0 &&
        judgeSize(context, state.phase.principal, record.fields, fields, record, sent)) ||
      patch.exact;
    let change: Change = {
      fields: sent,
      expiresAt: data?.expiresAt ?? expiresAt,
      principal: data?.principal,
      ifVersion: opportunistic || exact ? record.version : undefined,
    };
    let outcome = await driver.commit(record.id, change, now);
    if (outcome === "conflict" && !exact) {
      // Give up a touch or rotation, because a later request can do it. Data is tried again.
      if (!data) return "unchanged";
      opportunistic = undefined;
      change = data;
      fields = mergeFields(new Map(record.fields), change.fields);
      outcome = await driver.commit(record.id, change, now);
    }
    if (outcome === "gone") return foundGone(state);
    if (outcome === "committed") {
      const written = {
        ...record,
        fields,
        principal: state.phase.principal,
        // Too low if others committed too. The next compare-and-set then conflicts and reads again.
        version: record.version + 1,
        expiresAt: Math.min(change.expiresAt ?? record.expiresAt, timeoutsOf(state).end),
        fixed: fields.has(FIXED),
        generations: opportunistic?.generations ?? record.generations,
      };
      state.wrote(written, patch, expiry, opportunistic?.token);
      if (opportunistic?.token)
        context.emit("rotated", {
          id: record.id,
          previousId: record.id,
          principal: record.principal,
          reason: "periodic",
        });
      return "committed";
    }

    if (lost === MOST_LOST)
      throw new SessionConflictError(
        `The commit was given up, because other requests were faster ${MOST_LOST} times in a row`,
      );
    await pause(lost);
    const again = await readNow(context, record.id);
    if (!again) return foundGone(state);
    record = again;
    state.reread(again);
  }
}
