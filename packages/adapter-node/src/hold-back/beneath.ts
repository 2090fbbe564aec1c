import type { ServerResponse } from "node:http";
import { isSessionError, type SessionError } from "@sessions/core";
import { headersWereSent, isHttp1 } from "./headers.ts";

/** The methods that the response had before the interception. */
interface OriginalMethods
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
 * A response's methods as they were before the interception: Node's, and the wrappers of middlewares that were mounted
 * earlier. Those middlewares run during the calls that are made here, and may write to the session then.
 */
export class Beneath {
  readonly #res: ServerResponse;
  readonly #refused: (error: SessionError) => void;
  readonly #own: OriginalMethods;
  /** A middleware wrapped `write` or `end`, so it may write to the response at any time. */
  readonly isWrapped: boolean;
  /** A call is being made. What Node and other middlewares call meanwhile is part of it. */
  isCalled = false;
  /** The session was written to during a call. */
  wroteMeanwhile = false;
  /** A middleware's write to the session was refused. */
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
   * Makes a call. If a middleware beneath does not catch the refusal of its write, the response must not suffer from
   * it: what the call has not done yet is done here.
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
      // With compression or HTTP/2 we cannot know whether the bytes were taken. A second call might send them twice.
      const isEncoded = res.hasHeader("Content-Encoding");
      if (!isDone && wasOut && method !== "end" && (isEncoded || !isHttp1(res))) throw error;
      // A wrapper that throws at each call is left out.
      const bare: unknown = this.wasRefused ? Reflect.get(Object.getPrototypeOf(res), method) : call;
      if (!isDone && (typeof bare !== "function" || (this.wasRefused && isEncoded))) throw error;
      this.wasRefused = true;
      this.#refused(error);
      if (isDone || typeof bare !== "function") return method === "write" ? !res.writableNeedDrain : res;
      return bare === call ? this.#make(method, call, args) : Reflect.apply(bare, res, args);
    }
  }

  /** Runs a function as a part of a call. */
  during(run: () => void): void {
    this.isCalled = true;
    try {
      run();
    } finally {
      this.isCalled = false;
    }
  }

  /** Compression adds `flush`, which sends what compression itself has buffered. Server-sent events use it. */
  interceptFlush(intercepted: () => void): void {
    const flush: unknown = Reflect.get(this.#res, "flush");
    if (this.#own.flush || typeof flush !== "function") return;
    this.#own.flush = () => Reflect.apply(flush, this.#res, []);
    Object.assign(this.#res, { flush: intercepted });
  }

  /** Makes the methods that change headers throw while the response is held back. */
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

/** Node's own value of `headersSent`, which may differ from the pretended one. */
const hasHead = (res: ServerResponse): unknown => Reflect.get(Object.getPrototypeOf(res), "headersSent", res);

/** Returns a value that changes once a call has taken effect. */
function progress(res: ServerResponse, method: Method): unknown {
  const { finished, socket } = res;
  if (method === "end") return finished;
  if (method !== "write" || !isHttp1(res)) return hasHead(res);
  // The bytes that the socket was given, and those that the response still buffers. A test may use a made-up socket.
  return (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0) + res.writableLength;
}
