import type { Context } from "../context/context.ts";
import type { Rejection } from "../context/events.ts";
import { type Login, NO_LOGIN } from "../record/login.ts";
import type { SessionRecord } from "../record/session-record.ts";
import type { DecodedValues, StoreHost } from "../store/host.ts";
import { type Patch, StagedFields } from "../store/staged-fields.ts";
import type { Store } from "../store/store.ts";
import type { Token } from "../token/token.ts";
import { headersSent, warnOfLateWrite } from "./late-write.ts";
import { freshPhase, mutedPhase, type Phase, recordOf, type Settled } from "./phase.ts";
import { ResponseState } from "./response.ts";

/** What an adapter tells of the client. */
export interface Device {
  /** The request's `User-Agent`. */
  readonly userAgent?: string | undefined;
  /** The client's IP address, by the framework's own notion. */
  readonly ip?: string | undefined;
}

/** Facts of a request that do not change. */
export interface Opened {
  /** A session opened by `"id"` can be read and written. It is never touched, rotated or sent to a client. */
  readonly by: "token" | "id";
  /** Whether the request keeps the session alive. */
  readonly touch: boolean;
  /** The request came over https. */
  readonly secure: boolean;
  readonly device: Device | undefined;
  /** When the request came. Rotation counts from this time, not from the end of the handler. */
  readonly at: number;
}

const illegal = (kind: Phase["kind"]): TypeError =>
  new TypeError(`A session that is ${kind} does not do this`);

/**
 * One session of one request: its phase, the client's cookie (response), and what the next commit writes (fields and
 * expiry). Only named transitions write them: those of the response in `response.ts`, all others here.
 */
export type State = Readonly<MutableState>;

class MutableState implements StoreHost {
  readonly context: Context;
  readonly opened: Opened;
  readonly response: Readonly<ResponseState>;
  /** The stores that the program asked for, by name or definition. */
  readonly stores: Map<unknown, Store<Record<string, unknown>>> = new Map();
  readonly decoded: DecodedValues = new Map();
  /** No token of the client was accepted. */
  isNew: boolean;
  rejected: Rejection | undefined;
  phase: Phase;
  fields: StagedFields;
  /** Staged by `setExpiry()`, in epoch milliseconds. */
  expiry: number | undefined = undefined;
  /** Staged by `assign()`; `null` takes the principal away. */
  newPrincipal: string | null | undefined = undefined;

  constructor(
    context: Context,
    opened: Opened,
    phase: Settled,
    fields: ReadonlyMap<string, string>,
    rejected?: Rejection,
  ) {
    this.context = context;
    this.opened = opened;
    this.isNew = phase.kind !== "stored";
    this.rejected = rejected;
    this.phase = phase;
    this.fields = new StagedFields(fields);
    this.response = new ResponseState(!this.isNew);
  }

  get record(): SessionRecord | undefined {
    return recordOf(this.phase);
  }

  /** What the session's login asked for. */
  get login(): Login {
    const { phase, record } = this;
    return (phase.kind === "replacing" ? phase : record)?.login ?? NO_LOGIN;
  }

  /** The token to send, made when it is first needed. */
  get token(): Token {
    return this.phase.token ?? this.renewToken();
  }

  /** Whether a session without a record has something to store. */
  get hasNew(): boolean {
    const { phase } = this;
    return (phase.kind === "fresh" && phase.storeEmpty) || this.fields.isChanged();
  }

  // Phase

  /** Makes another token, because the id of the present one is taken. */
  renewToken(): Token {
    const phase: { token: Token | undefined } = this.phase;
    const token = this.context.newToken();
    phase.token = token;
    return token;
  }

  /** `login()` and `rotate()`: the next commit replaces this session by a new one. */
  replace(reason: "login" | "rotate", principal?: string, login?: Login): void {
    const { phase, fields, expiry } = this;
    const isRotation = reason === "rotate";
    // Either nothing is stored yet, or the next commit already makes a new token.
    if (isRotation && phase.kind !== "stored") {
      if (login && phase.kind === "replacing") this.phase = { ...phase, login };
      return;
    }
    const { from, fieldsBefore, stagedBefore } =
      phase.kind === "replacing"
        ? phase
        : { from: phase, fieldsBefore: fields, stagedBefore: { fields: fields.copy(), expiry } };
    this.phase = {
      kind: "replacing",
      reason,
      login: login ?? (isRotation ? this.login : NO_LOGIN),
      from,
      fieldsBefore,
      stagedBefore,
      token: this.record ? this.context.newToken() : phase.token,
      principal: isRotation ? phase.principal : principal,
      createdAt: isRotation ? phase.createdAt : this.context.settings.clock(),
    };
    if (isRotation) return;
    // The new session takes over nothing from another principal, or from a session that has ended.
    if (phase.kind === "gone" || (phase.principal !== undefined && phase.principal !== principal)) {
      this.fields = new StagedFields(this.context.settings.newFields);
      this.decoded.clear();
    }
    this.expiry = undefined;
  }

  /** Takes back only `login()` and `rotate()`. */
  takeBack(): void {
    const { phase } = this;
    if (phase.kind !== "replacing") return;
    this.phase = phase.from;
    this.fields = phase.fieldsBefore;
  }

  /** A commit created the record: the first of the session, or a new one for `login()` or `rotate()`. */
  began(record: SessionRecord, patch: Patch, expiry: number | undefined): void {
    const { kind, token } = this.phase;
    if (kind !== "fresh" && kind !== "replacing") throw illegal(kind);
    this.#store(record, token);
    this.response.sendToken();
    this.acknowledge(patch, record.fields, expiry);
  }

  /** A commit wrote to the record. `token` is given if the session got a new generation. */
  wrote(record: SessionRecord, patch: Patch, expiry: number | undefined, token?: Token): void {
    this.#moveRecord(record, token);
    if (token) this.response.sendToken();
    this.acknowledge(patch, record.fields, expiry);
  }

  /** The record was read again after another commit came between. */
  reread(record: SessionRecord): void {
    this.#moveRecord(record);
    this.fields.rebase(record.fields);
  }

  /** The session ended elsewhere. Drops what was staged, because no record can hold it. */
  foundGone(): void {
    const { phase } = this;
    const { token, principal, createdAt } = phase;
    if (phase.kind !== "muted")
      this.phase = { kind: "gone", token, principal, createdAt, record: this.record };
    this.fields.discard();
  }

  /**
   * After `logout()` the session is fresh, or muted if the client may have a newer cookie that it must not overwrite.
   */
  loggedOut(muted: boolean, clearCookie: boolean): void {
    const { settings } = this.context;
    const now = settings.clock();
    this.phase = muted ? mutedPhase(now, undefined) : freshPhase(now);
    this.isNew = true;
    this.rejected = undefined;
    this.fields = new StagedFields(settings.newFields);
    this.decoded.clear();
    this.expiry = undefined;
    this.response.sendClear(clearCookie);
  }

  #moveRecord(record: SessionRecord, token = this.phase.token): void {
    const { phase } = this;
    if (phase.kind !== "stored") throw illegal(phase.kind);
    this.#store(record, token, phase.presented);
  }

  #store(record: SessionRecord, token: Token | undefined, presented?: string): void {
    const { principal, createdAt } = this.phase;
    this.phase = { kind: "stored", token, principal, createdAt, record, presented };
  }

  // Staged

  stageExpiry(expiry: number): void {
    this.expiry = expiry;
  }

  /** Puts the session under another principal, with the same id. Only for a library that makes its ids by itself. */
  assign(principal: string | undefined): void {
    this.phase = { ...this.phase, principal };
    this.newPrincipal = principal ?? null;
  }

  /** The record holds `fields` now, including the patch. Changes that were staged meanwhile stay staged. */
  acknowledge(patch: Patch, fields: ReadonlyMap<string, string>, expiry: number | undefined): void {
    this.fields.acknowledge(patch, fields);
    if (this.expiry === expiry) this.expiry = undefined;
    this.newPrincipal = undefined;
  }

  /** Drops everything staged since the last commit. Keeps a cookie that an earlier commit has to send. */
  discard(): void {
    this.takeBack();
    this.discardFields();
  }

  /** The same, but keeps a `login()` or `rotate()` that a commit has begun to write. */
  discardFields(): void {
    this.fields.discard();
    this.decoded.clear();
    this.expiry = undefined;
    this.newPrincipal = undefined;
  }

  /** The response reports an error: drops everything from the first `login()` or `rotate()` on. */
  dropLogin(): boolean {
    const { phase } = this;
    if (phase.kind !== "replacing") return false;
    this.phase = phase.from;
    this.fields = phase.stagedBefore.fields;
    this.expiry = phase.stagedBefore.expiry;
    this.decoded.clear();
    return true;
  }

  /**
   * Call it before staging a change for which a session without a record needs a cookie.
   *
   * @returns `true` if the response has ended, so that the change must be dropped. An error here would be thrown in a
   * listener of the response's last event and would end the process.
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`: the headers have gone out.
   */
  isTooLate(): boolean {
    const { stage, clientHasCookie } = this.response;
    const { kind } = this.phase;
    if (stage === "held" || clientHasCookie || kind === "muted" || kind === "gone") return false;
    const late = headersSent("The first write to a new session came");
    if (stage !== "over") throw late;
    warnOfLateWrite(late);
    return true;
  }

  beforeWrite(): boolean {
    this.response.becomePending();
    return this.isTooLate();
  }

  /** The headers go out with the commit that begins now. */
  seal(): void {
    this.response.seal(this.phase.kind === "replacing" || (!this.record && this.hasNew));
  }
}

/** A session that is not stored yet, in one of the two phases for it. */
export const newState = (context: Context, opened: Opened, phase: Settled, rejected?: Rejection): State =>
  new MutableState(context, opened, phase, context.settings.newFields, rejected);

/** The session of a record. `token` is given if a token named it. */
export const storedState = (
  context: Context,
  opened: Opened,
  record: SessionRecord,
  token?: Token,
  presented?: string,
): State =>
  new MutableState(
    context,
    opened,
    { kind: "stored", token, principal: record.principal, createdAt: record.createdAt, record, presented },
    record.fields,
  );
