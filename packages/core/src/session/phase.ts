import type { Login } from "../record/login.ts";
import type { SessionRecord } from "../record/session-record.ts";
import type { StagedFields } from "../store/staged-fields.ts";
import type { Token } from "../token/token.ts";

/** The principal and token of a session. */
interface Identity {
  /** Made when it is first needed. */
  readonly token: Token | undefined;
  readonly principal: string | undefined;
  /** When the session was created, or last logged in, in epoch milliseconds. */
  readonly createdAt: number;
}

/** Nothing is stored yet. */
interface Fresh extends Identity {
  readonly kind: "fresh";
  /** `create()`: the first commit stores the session even if it is empty. */
  readonly storeEmpty: boolean;
}

/** A record holds the session. */
interface Stored extends Identity {
  readonly kind: "stored";
  /** As last read or written. */
  readonly record: SessionRecord;
  /** The digest of the generation that the client presented. */
  readonly presented: string | undefined;
}

/** The request came with a token that another request has just ended. Commits store nothing until a login. */
interface Muted extends Identity {
  readonly kind: "muted";
  /** The id of the session that replaced it by `rotate()`. */
  readonly successor: string | undefined;
}

/** The session ended elsewhere. Commits store nothing until a login. */
interface Gone extends Identity {
  readonly kind: "gone";
  /** As last read; `undefined` if the session ended before it was stored. */
  readonly record: SessionRecord | undefined;
}

/** The next commit creates a new session and ends the old one. */
export interface Replacing extends Identity {
  readonly kind: "replacing";
  readonly reason: "login" | "rotate";
  /** What the login asks for, or what the login of the rotated session asked for. */
  readonly login: Login;
  /** The phase to return to if the commit fails or the response reports an error. */
  readonly from: Settled;
  /** The fields to return to. */
  readonly fieldsBefore: StagedFields;
  /** What was staged before the first `login()` or `rotate()`. A response that reports an error keeps it. */
  readonly stagedBefore: { readonly fields: StagedFields; readonly expiry: number | undefined };
}

/** Every phase in which no `login()` or `rotate()` waits for a commit. */
export type Settled = Fresh | Stored | Muted | Gone;

/**
 * The phase of the session of one request. Only these transitions of `State` change it:
 *
 * | | fresh | stored | replacing | muted | gone |
 * | --- | --- | --- | --- | --- | --- |
 * | `replace("login")` | replacing | replacing | replacing | replacing | replacing |
 * | `replace("rotate")` | fresh | replacing | replacing | muted | gone |
 * | `began` (commit created the record) | stored | | stored | | |
 * | `wrote`, `reread` (commit of a stored session) | | stored | | | |
 * | `foundGone` (commit found the record ended) | gone | gone | gone | muted | gone |
 * | `takeBack` (error response, `discard()`, failed commit) | fresh | stored | `from` | muted | gone |
 * | `loggedOut` | fresh or muted | fresh or muted | fresh or muted | muted | fresh or muted |
 *
 * No code makes the calls of the empty cells; those transitions throw.
 */
export type Phase = Settled | Replacing;

/** The last known record in the backend, under the present id of the session. */
export function recordOf(phase: Phase): SessionRecord | undefined {
  const { kind } = phase;
  if (kind === "replacing") return recordOf(phase.from);
  return kind === "stored" || kind === "gone" ? phase.record : undefined;
}

// Every literal has its properties written out, without a spread, because one is made for each request.

export const freshPhase = (createdAt: number, storeEmpty = false): Settled => ({
  kind: "fresh",
  token: undefined,
  principal: undefined,
  createdAt,
  storeEmpty,
});

export const mutedPhase = (createdAt: number, successor: string | undefined): Settled => ({
  kind: "muted",
  token: undefined,
  principal: undefined,
  createdAt,
  successor,
});
