import type { StoredRecord } from "../driver/contract.ts";
import { firstGeneration, formatGenerations, type Generations, parseGenerations } from "../token/rotation.ts";
import { digest, sameDigest, type Token } from "../token/token.ts";
import { type Login, NO_LOGIN, parseLogin } from "./login.ts";

/** The core's own fields. Their names begin with `/`; a store's cannot. This one holds the creation and the family. */
export const SESSION = "/session";
/** The generations of the token's secret. */
export const GENERATIONS = "/turns";
export const FIXED = "/fixed";
export const ENDED = "/ended";
/** What the login asked for. The field is absent if it asked for nothing. */
export const LOGIN = "/login";
/** The codec of every entry without a codec mark. The field is absent for the default codec. */
export const CODEC = "/codec";
/** When and by whom the session was last used, if the manager keeps that. */
export const META = "/meta";
/** A login that waits for its place: nobody has the token yet. */
export const CLAIM = "/claim";

/** What a record may get without being judged by its size. */
export const LATER_FIELDS: readonly string[] = [FIXED, LOGIN, META, CLAIM];

/** The latest time that a Date can hold. */
const LAST_DATE = 8.64e15;

/** A record that this library wrote, with its own fields parsed. */
export interface SessionRecord {
  readonly id: string;
  /** When this process read it, in ticks of `Sizes`. */
  readonly readAt: number;
  readonly version: number;
  readonly principal: string | undefined;
  readonly fields: ReadonlyMap<string, string>;
  readonly createdAt: number;
  /** The record's expiry or the end of the absolute timeout, whichever is earlier. */
  readonly expiresAt: number;
  /** `setExpiry()` set the expiry, so a touch does not move it. */
  readonly fixed: boolean;
  readonly login: Login;
  readonly family: string;
  readonly generations: Generations;
  /** Set if a login, `rotate()` or logout emptied the record. */
  readonly ended: { readonly at: number; readonly successor: string | undefined } | undefined;
}

/** Returns `undefined` if the record is not a session: stored bytes may be hostile too. */
export function readRecord(
  id: string,
  record: StoredRecord,
  absolute: number,
  readAt = 0,
): SessionRecord | undefined {
  const { version, principal, fields } = record;
  const [, created, family] = /^(\d{1,16}) ([\w-]{43})$/.exec(fields.get(SESSION) ?? "") ?? [];
  const [, endedAt, successor] = /^(\d{1,16})(?: ([0-9a-f]{32})$)?/.exec(fields.get(ENDED) ?? "") ?? [];
  const ended = endedAt ? { at: Number(endedAt), successor } : undefined;
  // An ended record keeps only its family, to recognise requests that still carry its token.
  const generations = ended ? firstGeneration("", 0) : parseGenerations(fields.get(GENERATIONS));
  if (!created || !family || !generations) return undefined;
  const createdAt = Number(created);
  if (createdAt > LAST_DATE) return undefined;
  const login = fields.has(LOGIN) ? parseLogin(fields.get(LOGIN)) : NO_LOGIN;
  const expiresAt = Math.min(record.expiresAt, createdAt + Math.min(absolute, login.absolute));
  return {
    id,
    readAt,
    version,
    principal,
    fields,
    createdAt,
    expiresAt,
    fixed: fields.has(FIXED),
    login,
    family,
    generations,
    ended,
  };
}

/** The core's own fields of a new record. */
export function ownFields(token: Token, createdAt: number, now: number, fixed: boolean): Map<string, string> {
  const own = new Map([
    [SESSION, `${createdAt} ${digest(token.family)}`],
    [GENERATIONS, formatGenerations(firstGeneration(digest(token.generation), now))],
  ]);
  if (fixed) own.set(FIXED, "1");
  return own;
}

/**
 * The change that empties a record and notes when it ended, and which session replaced it. A record with too many fields
 * for one commit, from before the driver had its limit, keeps the rest until it is swept: it must end in one commit.
 */
export function endingFields(
  { fields }: SessionRecord,
  now: number,
  successor: string | undefined,
  maxFields: number,
): Map<string, string | null> {
  const ending = new Map<string, string | null>();
  for (const field of fields.keys())
    if (field !== SESSION && ending.size < maxFields - 1) ending.set(field, null);
  return ending.set(ENDED, successor ? `${now} ${successor}` : `${now}`);
}

export const isFamily = (record: SessionRecord, token: Token): boolean =>
  sameDigest(record.family, digest(token.family));

export const isLive = (record: SessionRecord, now: number): boolean =>
  !record.ended && now < record.expiresAt;
