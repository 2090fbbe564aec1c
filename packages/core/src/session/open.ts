import { checkOptions } from "../base/options.ts";
import { type Context, readNow } from "../context/context.ts";
import { cookieValues } from "../context/cookie.ts";
import type { Rejection } from "../context/events.ts";
import { isFamily, isLive } from "../record/session-record.ts";
import { accepts } from "../token/rotation.ts";
import { digest, parseToken } from "../token/token.ts";
import { createSession } from "./managed-session.ts";
import { freshPhase, mutedPhase } from "./phase.ts";
import { warnInsecure } from "./secure.ts";
import type { Session } from "./session.ts";
import { type Device, newState, type Opened, storedState } from "./state.ts";

/** Options of `SessionManager.open()` and `load()`. */
export interface OpenOptions {
  /** Whether the request keeps the session alive; `false` for polling. @default true */
  touch?: boolean | undefined;
  /**
   * The request comes from another site, and may lack the cookie only for that reason. If no cookie is accepted, the
   * session is fresh and muted: it stores nothing unless it logs in. Adapters set this option.
   * @default false
   */
  crossSite?: boolean | undefined;
  /**
   * The request came over https. If the cookie lacks `Secure`, and the program did not set `secure: false`, a commit
   * that would send a new cookie is then refused. Adapters set this option.
   * @default false
   */
  secure?: boolean | undefined;
  /**
   * What is known of the client. It is kept if the manager's `metadata` says so. Adapters set this option.
   * @default nothing
   */
  device?: Device | undefined;
}

function openedBy({ settings }: Context, where: string, options: OpenOptions): Opened {
  checkOptions(where, options, ["touch", "crossSite", "secure", "device"]);
  const { touch = true, secure = false, device } = options;
  if (device) checkOptions(where, device, ["userAgent", "ip"], "device.");
  return { by: "token", touch, secure, device, at: settings.clock() };
}

/**
 * The most sessions that we look up for one request. A browser may send stale cookies with our name, of other paths and
 * domains, before the good one.
 */
const MOST_READS = 16;
/** For this time after a login, `rotate()` or logout, a request may still come with the old token. It is muted. */
export const MUTED_MS = 120_000;
/** Ordered from least to most specific. With several cookies we report the most specific reason. */
const REJECTIONS: readonly (Rejection | undefined)[] = [
  "malformed",
  "signature",
  "unknown",
  "expired",
  "reused",
];
/** This reason and those after it cost a read. */
const UNKNOWN = REJECTIONS.indexOf("unknown");

/** The session that a token opens, or why it opens none. */
interface Judged {
  readonly session?: Session;
  readonly rejected?: Rejection;
  readonly muted?: boolean;
  readonly successor?: string | undefined;
}

async function judge(context: Context, text: string, opened: Opened): Promise<Judged> {
  const { driver, rotation, cookie, keys } = context.settings;
  const now = opened.at;
  const token = parseToken(text, cookie.name, keys);
  if (typeof token === "string") return { rejected: token };
  const record = await readNow(context, token.id);
  // An id alone must reveal nothing and end nothing.
  if (!record || !isFamily(record, token)) return { rejected: "unknown" };
  if (record.ended) {
    const muted = now < record.ended.at + MUTED_MS;
    // After that time the token is like any other expired token.
    return { rejected: "expired", muted, successor: muted ? record.ended.successor : undefined };
  }
  const { id, principal } = record;
  if (!isLive(record, now)) {
    context.emit("expired", { id, principal });
    return { rejected: "expired" };
  }
  const presented = digest(token.generation);
  if (accepts(record.generations, presented, now, rotation)) {
    // Only warn: the client already has the cookie, and a refusal would log the visitor out.
    if (opened.secure) warnInsecure(context);
    return { session: createSession(storedState(context, opened, record, token, presented)) };
  }
  context.emit("reused", { id, principal });
  if (rotation?.onReuse !== "report" && (await driver.destroy(id, now)))
    context.emit("destroyed", { id, principal, reason: "reused" });
  return { rejected: "reused" };
}

/** Opens the session that a Cookie header names, or a new one. */
export async function openSession(
  context: Context,
  header: string | null | undefined,
  options: OpenOptions = {},
): Promise<Session> {
  const opened = openedBy(context, "sessions.open", options);
  let worst = -1;
  // True whatever cookies came: SameSite may have held back the good cookie and let a bad one pass.
  let muted = options.crossSite ?? false;
  let successor: string | undefined;
  let reads = 0;
  for (const value of cookieValues(header, context.settings.cookie.name)) {
    const judged = await judge(context, value, opened);
    if (judged.session) return judged.session;
    const reason = REJECTIONS.indexOf(judged.rejected);
    worst = Math.max(worst, reason);
    muted ||= judged.muted ?? false;
    successor ??= judged.successor;
    // Stop: the token was copied, or restored from a backup. A browser does not send it as a stale cookie.
    if (judged.rejected === "reused") break;
    if (reason >= UNKNOWN && ++reads === MOST_READS) break;
  }
  const rejected = REJECTIONS[worst];
  if (rejected) context.emit("rejected", { reason: rejected });
  const phase = muted ? mutedPhase(opened.at, successor) : freshPhase(opened.at);
  return createSession(newState(context, opened, phase, rejected));
}

/** Opens the session of a token that came without a cookie; `undefined` if the token is not accepted. */
export async function loadSession(
  context: Context,
  text: string,
  options: OpenOptions = {},
): Promise<Session | undefined> {
  const { session, rejected } = await judge(context, text, openedBy(context, "sessions.load", options));
  if (rejected) context.emit("rejected", { reason: rejected });
  return session;
}
