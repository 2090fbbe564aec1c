import type { ServerResponse } from "node:http";
import { isSessionError, type SessionError } from "@sessions/core";
import { headersWereSent } from "./headers.ts";

/** What was there before. */
interface Own
  extends Pick<ServerResponse, "writeHead" | "write" | "end" | "flushHeaders">,
    Partial<Pick<ServerResponse, "setHeader" | "appendHeader" | "removeHeader">> {
  flush?: () => void;
}

export type Method = "writeHead" | "write" | "end" | "flushHeaders" | "flush";

export interface Call {
  readonly method: Method;
  readonly args: readonly unknown[];
}

/**
 * A response's methods as they were, with what middlewares that were mounted before laid over them. Those are called with
 * the calls that are made here, and may write to the session then.
 */
export class Beneath {
  readonly #res: ServerResponse;
  readonly #refused: (error: SessionError) => void;
  readonly #own: Own;
  /** Some middleware may write to the response in its own time. */
  readonly isWrapped: boolean;
  /** A call is being made: what Node and other middlewares call meanwhile belongs to it. */
  isCalled = false;
  /** During a call the session was written to. */
  wroteMeanwhile = false;
  /** A middleware's write was refused. */
  wasRefused = false;

  constructor(res: ServerResponse, refused: (error: SessionError) => void) {
    this.#res = res;
    this.#refused = refused;
    const { writeHead, write, end, flushHeaders } = res;
    this.#own = { writeHead, write, end, flushHeaders };
    this.isWrapped = Object.hasOwn(res, "write") || Object.hasOwn(res, "end");
  }

  call(method: Method, args: readonly unknown[]): unknown {
    const call = this.#own[method];
    if (!call) return undefined;
    const wasCalled = this.isCalled;
    this.isCalled = true;
    try {
      return Reflect.apply(call, this.#res, args);
    } catch (error) {
      // What was called for, the response, has nothing to do with a write that was refused, and where nothing of the call
      // has gone out it can be made again: the error may reach no handler.
      const { finished, headersSent } = this.#res;
      const isOut = method === "end" ? finished : headersSent;
      if (isOut || this.wasRefused || !isSessionError(error, "ERR_SESSION_HEADERS_SENT")) throw error;
      this.wasRefused = true;
      this.#refused(error);
      return Reflect.apply(call, this.#res, args);
    } finally {
      this.isCalled = wasCalled;
    }
  }

  /** Runs what belongs to a call. */
  during(run: () => void): void {
    this.isCalled = true;
    try {
      run();
    } finally {
      this.isCalled = false;
    }
  }

  /** Compression adds `flush`, for streams of events: what it holds back itself is to go out. */
  interceptFlush(intercepted: () => void): void {
    const flush: unknown = Reflect.get(this.#res, "flush");
    if (this.#own.flush || typeof flush !== "function") return;
    this.#own.flush = () => Reflect.apply(flush, this.#res, []);
    Object.assign(this.#res, { flush: intercepted });
  }

  /** Has the methods that change headers throw while the response is held back. */
  guardHeaders(isHeld: () => boolean): void {
    if (this.#own.setHeader) return;
    const res = this.#res;
    const { setHeader, appendHeader, removeHeader } = res;
    Object.assign(this.#own, { setHeader, appendHeader, removeHeader });
    const guarded =
      <A extends unknown[], R>(original: (...args: A) => R) =>
      (...args: A): R => {
        if (isHeld() && !this.isCalled) throw headersWereSent();
        return Reflect.apply(original, res, args);
      };
    res.setHeader = guarded(setHeader);
    res.appendHeader = guarded(appendHeader);
    res.removeHeader = guarded(removeHeader);
  }

  restore(): void {
    Object.assign(this.#res, this.#own);
  }
}
