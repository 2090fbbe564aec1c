import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Session } from "@sessions/core";
import { whenPending } from "@sessions/core/adapter-tools";
import type { Answer, Sealed } from "./answer.ts";
import { cut, restore, type Snapshot, takeSnapshot } from "./headers.ts";
import { Interception } from "./interception.ts";

export type Next = (error?: unknown) => void;

/** Commits a session for headers that go out now; `undefined` where they are to go out uncommitted. */
export type Seal = (session: Session) => Promise<Sealed | undefined>;

/** Holds a response back until its session is committed. Without `next` errors are answered here. */
export function holdBack(
  res: ServerResponse,
  opened: Session | Promise<Session>,
  next: Next | undefined,
  seal?: Seal,
  _vary = true,
): void {
  const answer = new HeldAnswer(res, opened, next, seal);
  answer.hold();
}

/** Commits and seals. */
export async function sealSession(session: Session): Promise<Sealed> {
  const { status, setCookie } = await session.commit({ seal: true });
  return {
    setCookies: setCookie === undefined ? [] : [setCookie],
    // A new one has a record where the handler committed it: its cookie is still to be sent.
    more: status === "committed" || (status === "unchanged" && (!session.isNew || setCookie !== undefined)),
  };
}

const warn = (error: unknown): void => process.emitWarning(error instanceof Error ? error : String(error));

/** The answer to one request, by the handler or by what follows when its session cannot be committed. */
class HeldAnswer implements Answer {
  readonly #res: ServerResponse;
  readonly #opened: Session | Promise<Session>;
  readonly #next: Next | undefined;
  readonly #sealOther: Seal | undefined;
  readonly #before: Snapshot;
  #sources: Readable[] | undefined;
  #session: Session | undefined;
  #failures = 0;
  #isLast = false;

  constructor(
    res: ServerResponse,
    opened: Session | Promise<Session>,
    next: Next | undefined,
    seal: Seal | undefined,
  ) {
    this.#res = res;
    this.#opened = opened;
    this.#next = next;
    this.#sealOther = seal;
    this.#before = takeSnapshot(res);
  }

  hold(): void {
    const interception = new Interception(this.#res, this, false);
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

  seal(): Promise<Sealed | undefined> {
    if (this.#isLast) return Promise.resolve(undefined);
    const seal = this.#sealOther ?? sealSession;
    // At once where it can be: what is written after res.end() is late, whatever the event loop does.
    if (this.#session) return seal(this.#session);
    return Promise.resolve(this.#opened).then(seal, () => undefined);
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

  over(pending: boolean): void {
    const session = this.#session;
    if (!session) return;
    const late = (): "over" => {
      queueMicrotask(() => {
        session
          .commit()
          .catch(warn)
          .finally(() => whenPending(session, late));
      });
      return "over";
    };
    if (pending) late();
    else whenPending(session, late);
  }
}
