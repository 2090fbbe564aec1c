import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Session, SessionError } from "@sessions/core";
import {
  dropLogin,
  mayWriteMore,
  reportsError,
  warnOfDroppedLogin,
  wasRead,
  whenPending,
} from "@sessions/core/adapter-tools";
import { makeDictionary } from "../dictionary.ts";
import type { Handlers, Sealed } from "./handlers.ts";
import { cut, isGone, restore, type Snapshot, takeSnapshot } from "./headers.ts";
import { Interception } from "./interception.ts";
import { commitAlone, warn, warnOfLateWrite } from "./late-writes.ts";

export type Next = (error?: unknown) => void;

/** Commits a session for the headers of a response that goes out now. */
export type Seal<S = Session> = (session: S) => Promise<Sealed>;

/** Holds a response back until its session is committed. Without `next`, a failed commit becomes a plain 500 here. */
export function holdBack(
  res: ServerResponse,
  opened: Session | Promise<Session>,
  next: Next | undefined,
  seal: Seal | undefined,
  vary = true,
): void {
  // Socket.IO passes an object that is no response for an upgrade: it has no headers, and nothing to hold back.
  if (typeof res.getHeaderNames !== "function")
    void Promise.resolve(opened).then(commitAlone, () => undefined);
  else new HeldResponse(res, opened, next, seal ?? sealSession, seal === undefined, vary).hold();
}

/** What a response waits for, where the session is not one of core: every response waits. */
export interface Committing {
  /** Commits for headers that go out now. */
  seal(): Promise<Sealed>;
  /** Commits what came later. */
  commit(): Promise<unknown>;
}

/**
 * Holds a response back for a library that is built on this package. A failed commit is passed to `next`; the response
 * is then as it was before the call.
 */
export function holdBackFor(res: ServerResponse, committing: Committing, next: Next): void {
  if (typeof res.getHeaderNames !== "function") return;
  makeDictionary(res.req, "method");
  makeDictionary(res, "sendDate");
  new HeldResponse(res, committing, next, () => committing.seal(), false, false).hold();
}

/** Commits and seals a session without any other cookie. */
export const sealSession: Seal = async (session) => {
  const result = await session.commit({ seal: true });
  const { setCookie } = result;
  return { setCookies: setCookie === undefined ? [] : [setCookie], more: mayWriteMore(session, result) };
};

/** One response: the handler's, or the error page that follows a failed commit. */
class HeldResponse<S extends { commit(): Promise<unknown> }> implements Handlers {
  readonly #res: ServerResponse;
  readonly #opened: S | Promise<S>;
  readonly #next: Next | undefined;
  readonly #seal: Seal<S>;
  readonly #mayPass: boolean;
  readonly #vary: boolean;
  readonly #before: Snapshot;
  #interception: Interception;
  #sources: Readable[] | undefined;
  #session: S | undefined;
  #failures = 0;
  #goesUncommitted = false;
  #lastCommitIsPlanned = false;

  constructor(
    res: ServerResponse,
    opened: S | Promise<S>,
    next: Next | undefined,
    seal: Seal<S>,
    mayPass: boolean,
    vary: boolean,
  ) {
    this.#res = res;
    this.#opened = opened;
    this.#next = next;
    this.#seal = seal;
    this.#mayPass = mayPass;
    this.#vary = vary;
    this.#before = takeSnapshot(res);
    this.#interception = new Interception(res, this);
  }

  hold(): void {
    this.#res.on("pipe", (source: Readable) => {
      this.#sources ??= [];
      this.#sources.push(source);
    });
    const known = (session: S): void => {
      this.#session = session;
      // Another library's cookie may have to be removed, even if the session needs no commit.
      if (this.#mayPass) this.#interception.passThrough();
      // If the session cannot tell what is pending, every response waits.
      if (!this.#watch(session)) this.#interception.startHolding();
    };
    if ("then" in this.#opened) {
      this.#interception.startHolding();
      // The caller of openSession() gets the error.
      this.#opened.then(known, () => undefined);
    } else known(this.#opened);
  }

  #watch(session: S): boolean {
    return whenPending(session, () => this.#interception.startHolding());
  }

  async onSeal(status: number): Promise<Sealed | undefined> {
    if (this.#goesUncommitted) return undefined;
    // Without an await if possible, so that a write right after res.end() is always late.
    const session = this.#session ?? (await Promise.resolve(this.#opened).catch(() => undefined));
    if (!session) return undefined;
    if (reportsError(status) && dropLogin(session)) warnOfDroppedLogin(status);
    try {
      return await this.#seal(session);
    } catch (error) {
      if (status < 500) throw error;
      // This page reports another error, and no handler is left for this one.
      if (this.#failures === 0) warn(error);
      this.#goesUncommitted = true;
      return undefined;
    }
  }

  varies(): boolean {
    return this.#vary && this.#session !== undefined && wasRead(this.#session);
  }

  async onLastByte(): Promise<void> {
    await this.#session?.commit();
  }

  onOver(): void {
    const session = this.#session;
    if (!session || this.#goesUncommitted) return;
    const commit = (): Promise<unknown> => session.commit().catch(warn);
    queueMicrotask(async () => {
      await commit();
      if (this.#watch(session) || this.#lastCommitIsPlanned) return;
      // The session cannot tell what is pending: commit once more, after the listeners of the last event.
      this.#lastCommitIsPlanned = true;
      const commitSoon = (): void => void setImmediate(commit);
      if (isGone(this.#res)) commitSoon();
      else this.#res.once("close", commitSoon);
    });
  }

  onRefused(error: SessionError): void {
    warnOfLateWrite(error);
    if (this.#session) this.#watch(this.#session);
  }

  onFail(error: unknown, headersSent: boolean): void {
    this.#failures++;
    const res = this.#res;
    if (!headersSent) {
      for (const source of this.#sources ?? []) source.unpipe(res);
      restore(res, this.#before);
    }
    if (this.#next && (headersSent || this.#failures === 1)) {
      if (!headersSent) this.#interception = new Interception(res, this, true);
      this.#next(error);
      return;
    }
    if (this.#failures === 1) warn(error);
    // Even the plain 500 failed: something throws at every call.
    if (this.#failures > 2) cut(res);
    if (headersSent || this.#failures > 2) return;
    this.#goesUncommitted = true;
    this.#interception = new Interception(res, this, true);
    res.setHeader("Content-Type", "text/plain; charset=utf-8");
    res.end("Internal Server Error");
  }
}
