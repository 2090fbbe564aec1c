import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Session } from "@sessions/core";
import {
  dropLogin,
  mayWriteMore,
  type ResponseStage,
  reportsError,
  warnOfDroppedLogin,
  wasRead,
  whenPending,
} from "@sessions/core/adapter-tools";
import type { Answer, Sealed } from "./answer.ts";
import { cut, restore, type Snapshot, takeSnapshot } from "./headers.ts";
import { Interception } from "./interception.ts";

export type Next = (error?: unknown) => void;

/** Commits a session for the headers of an answer that goes out now. */
export type Seal = (session: Session) => Promise<Pick<Sealed, "setCookies" | "more">>;

/** Holds a response back until its session is committed. Without `next` errors are answered here. */
export function holdBack(
  res: ServerResponse,
  opened: Session | Promise<Session>,
  next: Next | undefined,
  seal?: Seal,
  vary = true,
): void {
  // Socket.IO's response to an upgrade is none: no header is left for a cookie, and nothing to hold back.
  if (typeof res.getHeaderNames !== "function") {
    void Promise.resolve(opened).then(
      (session) => whenPending(session, () => "sent"),
      () => undefined,
    );
    return;
  }
  new HeldAnswer(res, opened, next, seal, vary).hold();
}

/** Commits and seals. */
export const sealSession: Seal = async (session) => {
  const result = await session.commit({ seal: true });
  const { setCookie } = result;
  return { setCookies: setCookie === undefined ? [] : [setCookie], more: mayWriteMore(session, result) };
};

const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));

/** The answer to one request, by the handler or by what follows when its session cannot be committed. */
class HeldAnswer implements Answer {
  readonly #res: ServerResponse;
  readonly #opened: Session | Promise<Session>;
  readonly #next: Next | undefined;
  readonly #sealOther: Seal | undefined;
  readonly #vary: boolean;
  readonly #before: Snapshot;
  #sources: Readable[] | undefined;
  #session: Session | undefined;
  #failures = 0;
  #isFinished = false;
  #isLast = false;

  constructor(
    res: ServerResponse,
    opened: Session | Promise<Session>,
    next: Next | undefined,
    seal: Seal | undefined,
    vary: boolean,
  ) {
    this.#res = res;
    this.#opened = opened;
    this.#next = next;
    this.#sealOther = seal;
    this.#vary = vary;
    this.#before = takeSnapshot(res);
  }

  hold(): void {
    const interception = new Interception(this.#res, this, false);
    // Before all listeners of the application's, whose errors would end the process.
    this.#res.prependOnceListener("finish", () => {
      this.#isFinished = true;
    });
    this.#res.on("pipe", (source: Readable) => {
      this.#sources ??= [];
      this.#sources.push(source);
    });
    const known = (session: Session): void => {
      this.#session = session;
      // Another library's cookie may have to go out with a session that needs no commit.
      if (this.#sealOther) return;
      interception.open();
      // A session that cannot tell what is pending makes every response wait.
      if (!whenPending(session, () => interception.shut())) interception.shut();
    };
    if ("then" in this.#opened) {
      interception.shut();
      // Who called openSession has the error.
      this.#opened.then(known, () => undefined);
    } else known(this.#opened);
  }

  seal(status: number): Promise<Sealed | undefined> {
    if (this.#isLast) return Promise.resolve(undefined);
    const seal = (session: Session): Promise<Sealed> => this.#sealed(session, status);
    // At once where it can be: what is written after res.end() is late, whatever the event loop does.
    if (this.#session) return seal(this.#session);
    return Promise.resolve(this.#opened).then(seal, () => undefined);
  }

  async #sealed(session: Session, status: number): Promise<Sealed> {
    const varies = this.varies();
    if (reportsError(status) && dropLogin(session)) warnOfDroppedLogin(status);
    return { ...(await (this.#sealOther ?? sealSession)(session)), varies };
  }

  varies(): boolean {
    return this.#vary && this.#session !== undefined && wasRead(this.#session);
  }

  async commit(): Promise<void> {
    await this.#session?.commit();
  }

  tolerates(status: number, error: unknown): boolean {
    if (status < 500) return false;
    // The page tells of another error, and no handler is left to be told of this one.
    if (this.#failures === 0) warn(error);
    return true;
  }

  failed(error: unknown, headersSent: boolean): void {
    this.#failures++;
    const res = this.#res;
    if (!headersSent) {
      for (const source of this.#sources ?? []) source.unpipe(res);
      restore(res, this.#before);
    }
    if (this.#next && (headersSent || this.#failures === 1)) {
      if (!headersSent) new Interception(res, this, true).shut();
      this.#next(error);
      return;
    }
    if (this.#failures === 1) warn(error);
    // Even this answer failed: something throws at whatever is sent.
    if (this.#failures > 2) cut(res);
    if (headersSent || this.#failures > 2) return;
    this.#isLast = true;
    new Interception(res, this, true).shut();
    res.setHeader("Content-Type", "text/plain; charset=utf-8");
    res.end("Internal Server Error");
  }

  refused(): void {
    if (this.#session) whenPending(this.#session, () => "over");
  }

  over(pending: boolean): ResponseStage {
    const session = this.#session;
    if (!session) return "held";
    const late = (): ResponseStage => {
      queueMicrotask(() => {
        session
          .commit()
          .catch(warn)
          .finally(() => whenPending(session, late));
      });
      return this.#isFinished || this.#res.closed ? "over" : "sent";
    };
    if (pending) return late();
    whenPending(session, late);
    return "sent";
  }
}
