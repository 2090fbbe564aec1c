import type { SessionRecord } from "../record/session-record.ts";
import type { Snapshot, StagedFields } from "../store/staged-fields.ts";
import type { Token } from "../token/token.ts";

/** Whom a session belongs to, and under which token. */
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

/** The request came with a token that was ended a moment ago: commits store nothing, until a login. */
interface Muted extends Identity {
  readonly kind: "muted";
  /** The id of the session that `rotate()` put in its place. */
  readonly successor: string | undefined;
}

/** The session ended elsewhere: commits store nothing, until a login. */
interface Gone extends Identity {
  readonly kind: "gone";
  /** As last read; `undefined` where the session ended before it was stored. */
  readonly record: SessionRecord | undefined;
}

/** The next commit creates a new session and ends the one that it takes the place of. */
export interface Replacing extends Identity {
  readonly kind: "replacing";
  readonly reason: "login" | "rotate";
  /** The phase to go back to, where the commit fails or the answer reports an error. */
  readonly from: Settled;
  /** The fields to go back to. */
  readonly fieldsBefore: StagedFields;
  /** What was staged before the first `login()` or `rotate()`: an answer that reports an error keeps it. */
  readonly stagedBefore: { readonly fields: Snapshot; readonly expiry: number | undefined };
}

/** What a request may open that has no record. */
export type Opening = Omit<Fresh, keyof Identity> | Omit<Muted, keyof Identity>;

/** Every phase in which no `login()` or `rotate()` waits for a commit. */
export type Settled = Fresh | Stored | Muted | Gone;

/**
 * What the session of one request is. {@link State} moves it, by these transitions alone:
 *
 * | | fresh | stored | replacing | muted | gone |
 * | --- | --- | --- | --- | --- | --- |
 * | `replace("login")` | replacing | replacing | replacing | replacing | replacing |
 * | `replace("rotate")` | fresh | replacing | replacing | muted | gone |
 * | `began` (commit created the record) | stored | | stored | | |
 * | `wrote`, `reread` (commit of a stored session) | | stored | | | |
 * | `foundGone` (commit found the record ended) | gone | gone | gone | muted | gone |
 * | `takeBackReplacement` (error answer, `discard()`, failed commit) | fresh | stored | what it was | muted | gone |
 * | `loggedOut` | fresh or muted | fresh or muted | fresh or muted | muted | fresh or muted |
 *
 * An empty cell is a call that no code makes: the transition throws.
 */
export type Phase = Settled | Replacing;

/** What the backend was last known to hold, under the id that the session still has. */
export function recordOf(phase: Phase): SessionRecord | undefined {
  const { kind } = phase;
  if (kind === "replacing") return recordOf(phase.from);
  return kind === "stored" || kind === "gone" ? phase.record : undefined;
}
