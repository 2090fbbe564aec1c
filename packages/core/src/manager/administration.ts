import { setTimeout } from "node:timers/promises";
import { checkOptions, epochOf, isWhole } from "../base/options.ts";
import type { Context } from "../context/context.ts";
import { bytesOf, checkPrincipal, parseField } from "../record/field-names.ts";
import { CLAIM, META } from "../record/session-record.ts";
import { destroyLine, LAG_MS, listing, liveRecords } from "../session/listing.ts";
import type { SweepOptions } from "./sweeping.ts";

export { destroy, exists, get, setExpiry, valid } from "./by-id.ts";

/** A live session in a listing, without the contents of its stores. */
export interface SessionInfo {
  /** 32 hex characters, for `get()`, `destroy()` and `setExpiry()`. It is not a secret. */
  readonly id: string;
  /** When the session was created, or last logged in. */
  readonly createdAt: Date;
  /** From this time on the session is expired. */
  readonly expiresAt: Date;
  /** The user that the session belongs to since a login; `undefined` before it. */
  readonly principal: string | undefined;
  /** When the user last proved who they are; `undefined` for a guest. See `Session.reauthenticate()`. */
  readonly authenticatedAt: Date | undefined;
  /** When the session was last used, as exactly as `touchEvery`; `undefined` unless `metadata.lastSeen` is on. */
  readonly lastSeenAt: Date | undefined;
  /** The start of the client's `User-Agent`, up to 256 characters. The client chose it, so escape it in a page. */
  readonly userAgent: string | undefined;
  /** The client's IP address. */
  readonly ip: string | undefined;
  /** The name that the login gave to the session. */
  readonly label: string | undefined;
  /** The names of the stores that have entries. */
  readonly stores: readonly string[];
  /** The size of the session in bytes, encoded in UTF-8. */
  readonly bytes: number;
}

/**
 * Which sessions `destroyAll()` ends: those of a principal, or of them those with a `label`, `except` one id if given, or
 * those of everyone.
 */
export type DestroyAllQuery =
  | { principal: string; except?: string | undefined; label?: string | undefined }
  | { everyone: true };

/** A text that was percent-escaped, if there is one. */
function unescaped(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    // Never written by us: stored bytes may be hostile.
    return undefined;
  }
}

export async function* list(
  context: Context,
  query: { principal?: string | undefined } = {},
): AsyncGenerator<SessionInfo, undefined> {
  checkOptions("sessions.list", query, ["principal"]);
  const { principal } = query;
  if ("principal" in query) checkPrincipal(principal);
  const listed = new Set<string>();
  for await (const { id, createdAt, expiresAt, fields, principal: user, login } of liveRecords(
    context,
    "list",
    principal,
  )) {
    if (listed.has(id) || fields.has(CLAIM)) continue;
    listed.add(id);
    const end = Math.min(expiresAt, createdAt + context.settings.absolute);
    if (end <= context.settings.clock()) continue;
    const stores = new Set([...fields.keys()].flatMap((field) => parseField(field)?.store ?? []));
    const meta = fields.get(META) ?? "";
    const [, seen, ip, userAgent] = meta.startsWith("1 ") ? meta.split(" ") : [];
    yield {
      id,
      createdAt: new Date(createdAt),
      expiresAt: new Date(end),
      principal: user,
      authenticatedAt: user === undefined ? undefined : new Date(login.at ?? createdAt),
      lastSeenAt: seen ? new Date(Number(seen)) : undefined,
      userAgent: unescaped(userAgent) || undefined,
      ip: unescaped(ip) || undefined,
      label: unescaped(login.label),
      stores: [...stores],
      bytes: bytesOf(fields),
    };
  }
  return undefined;
}

/** Longer than clocks differ. */
const CLOCKS_MS = 60_000;
/** The most listings. Another one is needed only if a `rotate()` hid a session from the one before. */
const MOST_ROUNDS = 8;

export async function destroyAll(context: Context, query: DestroyAllQuery): Promise<number> {
  const where = "sessions.destroyAll";
  // Widen the union, so that every key of its members can be read.
  const given: {
    principal?: string | undefined;
    except?: string | undefined;
    label?: string | undefined;
    everyone?: true;
  } = query;
  checkOptions(where, given, ["principal", "except", "label", "everyone"]);
  const { principal, except, label } = given;
  const everyone = given.everyone === true;
  // A principal that is undefined by mistake must not log everybody out.
  if (everyone === "principal" in given)
    throw new TypeError("destroyAll() needs either a principal, or everyone: true");
  if (!everyone) checkPrincipal(principal);
  if ("label" in given) checkPrincipal(label, "label");

  const driverLags = listing(context, "destroyAll", principal).eventualList === true;
  const latest = context.settings.clock() + CLOCKS_MS;
  const done = new Set<string>();
  let count = 0;
  let looksLeft = driverLags ? 2 : 1;
  // A rotate() during a listing may hide a session from it. The next listing shows that session.
  for (let round = 0; looksLeft > 0 && round < MOST_ROUNDS; round++) {
    let found = false;
    for await (const record of liveRecords(context, "destroyAll", principal)) {
      const { id, createdAt, fields, login } = record;
      if (label !== undefined && unescaped(login.label) !== label) continue;
      if (fields.has(CLAIM) || id === except || createdAt > latest || done.has(id)) continue;
      found = true;
      done.add(id);
      const ended = await destroyLine(context, record);
      if (!ended) continue;
      done.add(ended.id);
      count++;
      context.emit("destroyed", { id: ended.id, principal: ended.principal, reason: "admin" });
    }
    if (found) continue;
    looksLeft--;
    if (looksLeft > 0) await setTimeout(LAG_MS);
  }
  return count;
}

const MARGIN_MS = 5 * 60_000;
const BATCH = 1000;

export async function sweep({ settings, emit }: Context, options: SweepOptions = {}): Promise<number> {
  checkOptions("sessions.sweep", options, ["after", "before", "limit", "force"]);
  const { limit = Number.POSITIVE_INFINITY, force = false } = options;
  const now = settings.clock();
  const after = options.after === undefined ? 0 : epochOf(options.after);
  const before = options.before === undefined ? now - MARGIN_MS : epochOf(options.before);
  if (limit !== Number.POSITIVE_INFINITY && !isWhole(limit, 1))
    throw new TypeError("sweep(): limit must be a whole number of 1 or more");
  if (before > now && !force)
    throw new TypeError(
      "sweep(): before lies in the future and would remove live sessions; force: true allows it",
    );

  let count = 0;
  while (count < limit) {
    const removed = await settings.driver.sweep({ after, before, limit: Math.min(BATCH, limit - count) });
    if (removed === 0) break;
    count += removed;
  }
  emit("swept", { count });
  return count;
}
