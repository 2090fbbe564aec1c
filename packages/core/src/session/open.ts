import { checkOptions } from "../base/options.ts";
import { type Context, readNow } from "../context/context.ts";
import { cookieValues } from "../context/cookie.ts";
import { isFamily, isLive, type SessionRecord } from "../record/session-record.ts";
import { accepts } from "../token/rotation.ts";
import { digest, parseToken, type Token } from "../token/token.ts";
import { createSession } from "./managed-session.ts";
import { freshPhase, mutedPhase } from "./phase.ts";
import { warnInsecure } from "./secure.ts";
import type { Rejection, Session } from "./session.ts";
import { newState, type Opened, storedState } from "./state.ts";

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
}

function openedBy(where: string, options: OpenOptions, at: number): Opened {
  checkOptions(where, options, ["touch", "crossSite", "secure"]);
  const { touch = true, secure = false } = options;
  return { by: "token", touch, secure, at };
}

/**
 * The most sessions that we look up for one request. A browser may send stale cookies with our name, of other paths and
 * domains, before the good one.
 */
const MOST_READS = 16;
/** For this time after a login, `rotate()` or logout, a request may still come with the old token. It is muted. */
const MUTED_MS = 120_000;
/** Ordered from least to most specific. With several cookies we report the most specific reason. */
const REJECTIONS: readonly Rejection[] = ["malformed", "signature", "unknown", "expired", "reused"];

interface Rejected {
  rejected: Rejection;
  muted?: boolean;
  successor?: string | undefined;
}

/** Returns the record that a token opens, or why it opens none. */
async function judge(context: Context, token: Token, now: number): Promise<SessionRecord | Rejected> {
  const { driver, rotation } = context.settings;
  const record = await readNow(context, token.id);
  // An id alone must reveal nothing and end nothing.
  if (!record || !isFamily(record, token)) return { rejected: "unknown" };
  if (record.ended) {
    const muted = now < record.ended.at + MUTED_MS;
    // After that time the token is like any other expired token.
    return { rejected: "expired", muted, successor: muted ? record.ended.successor : undefined };
  }
  if (!isLive(record, now)) return { rejected: "expired" };
  if (accepts(record.generations, digest(token.generation), now, rotation)) return record;

  const { id, principal } = record;
  context.emit("reused", { id, principal });
  if (rotation?.onReuse !== "report" && (await driver.destroy(id, now)))
    context.emit("destroyed", { id, principal, reason: "reused" });
  return { rejected: "reused" };
}

function accepted(context: Context, record: SessionRecord, token: Token, opened: Opened): Session {
  // Only warn: the client already has the cookie, and a refusal would log the visitor out.
  if (opened.secure) warnInsecure(context);
  return createSession(storedState(context, opened, record, token, digest(token.generation)));
}

/** Opens the session that a Cookie header names, or a new one. */
export async function openSession(
  context: Context,
  header: string | null | undefined,
  options: OpenOptions = {},
): Promise<Session> {
  const { clock, cookie, keys } = context.settings;
  const now = clock();
  const opened = openedBy("sessions.open", options, now);
  const values = cookieValues(header, cookie.name);
  let worst = -1;
  // True whatever cookies came: SameSite may have held back the good cookie and let a bad one pass.
  let muted = options.crossSite ?? false;
  let successor: string | undefined;
  let reads = 0;
  for (const value of values) {
    const token = parseToken(value, cookie.name, keys);
    let verdict: Rejected;
    if (typeof token === "string") verdict = { rejected: token };
    else {
      if (reads++ === MOST_READS) break;
      const judged = await judge(context, token, now);
      if (!("rejected" in judged)) return accepted(context, judged, token, opened);
      verdict = judged;
    }
    worst = Math.max(worst, REJECTIONS.indexOf(verdict.rejected));
    muted ||= verdict.muted ?? false;
    successor ??= verdict.successor;
    // Stop: the token was copied, or restored from a backup. A browser does not send it as a stale cookie.
    if (verdict.rejected === "reused") break;
  }
  const phase = muted ? mutedPhase(now, successor) : freshPhase(now);
  return createSession(newState(context, opened, phase, REJECTIONS[worst]));
}

/** Opens the session of a token that came without a cookie; `undefined` if the token is not accepted. */
export async function loadSession(
  context: Context,
  text: string,
  options: OpenOptions = {},
): Promise<Session | undefined> {
  const { clock, cookie, keys } = context.settings;
  const now = clock();
  const opened = openedBy("sessions.load", options, now);
  const token = parseToken(text, cookie.name, keys);
  if (typeof token === "string") return undefined;
  const judged = await judge(context, token, now);
  return "rejected" in judged ? undefined : accepted(context, judged, token, opened);
}
