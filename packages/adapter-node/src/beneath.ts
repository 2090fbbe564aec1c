import type { ServerResponse } from "node:http";
import { isSessionError, type SessionError } from "@sessions/core";
import { headersWereSent, isHttp1 } from "./headers.ts";

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
      return this.#make(method, call, args);
    } finally {
      this.isCalled = wasCalled;
    }
  }

  /**
   * What was called for, the response, has nothing to do with a middleware's write that was refused, and the error may
   * reach no handler: what the call did not do is done all the same.
   */
  #make(method: Method, call: (...args: never[]) => unknown, args: readonly unknown[]): unknown {
    const res = this.#res;
    const wasOut = hasHead(res);
    const before = progress(res, method);
    try {
      return Reflect.apply(call, res, args);
    } catch (error) {
      if (!isSessionError(error, "ERR_SESSION_HEADERS_SENT")) throw error;
      const isDone = progress(res, method) !== before;
      // Nothing tells whether compression has taken a piece of the body, nor HTTP/2: made again, it might come twice.
      const isEncoded = res.hasHeader("Content-Encoding");
      if (!isDone && wasOut && method !== "end" && (isEncoded || !isHttp1(res))) throw error;
      // One that does so at each call is left out.
      const bare: unknown = this.wasRefused ? Reflect.get(Object.getPrototypeOf(res), method) : call;
      if (!isDone && (typeof bare !== "function" || (this.wasRefused && isEncoded))) throw error;
      this.wasRefused = true;
      this.#refused(error);
      if (isDone || typeof bare !== "function") return method === "write" ? !res.writableNeedDrain : res;
      return bare === call ? this.#make(method, call, args) : Reflect.apply(bare, res, args);
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

/** Node's own word, beneath what is pretended. */
const hasHead = (res: ServerResponse): unknown => Reflect.get(Object.getPrototypeOf(res), "headersSent", res);

/** What differs once a call has been made. */
function progress(res: ServerResponse, method: Method): unknown {
  const { finished, socket } = res;
  if (method === "end") return finished;
  if (method !== "write" || !isHttp1(res)) return hasHead(res);
  // All that was ever written to the socket, which may be one that a test made up, and what the response keeps before it.
  return (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0) + res.writableLength;
}
