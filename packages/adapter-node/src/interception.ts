import type { ServerResponse } from "node:http";
import type { ResponseStage } from "@sessions/core/adapter-tools";
import type { Answer, Sealed } from "./answer.ts";
import {
  addCookie,
  cut,
  headersWereSent,
  isHeaders,
  isHttp1,
  promisedBytes,
  setHeaders,
  sizeOf,
} from "./headers.ts";

interface Call {
  readonly method: "writeHead" | "write" | "end" | "flushHeaders" | "flush";
  readonly args: readonly unknown[];
}

/** What was there before. */
type Own = Pick<ServerResponse, "writeHead" | "write" | "end"> &
  Partial<Pick<ServerResponse, "flushHeaders" | "setHeader" | "appendHeader" | "removeHeader">>;

/**
 * Lays itself over a response, and holds its calls back in their order until the answer is sealed. It begins shut; while
 * it is open, because there is nothing to commit, all of them pass.
 */
export class Interception {
  readonly #res: ServerResponse;
  readonly #answer: Answer;
  /** It takes the place of an answer whose author may still be writing. */
  readonly #isLate: boolean;
  readonly #own: Own;
  /** Compression adds it, for streams of events: what it holds back itself is to go out. */
  #flush: unknown;
  #isOpen = false;
  /** What is held back, in order. */
  #held: Call[] | undefined;
  #heldBytes = 0;
  #status = 200;
  #reason: string | undefined;
  #sent = false;
  #sealed = false;
  #ended = false;
  #abandoned = false;
  /** What Node and other middlewares call while held calls are made passes through. */
  #passing = false;
  #more = false;
  /** What `writeHead` was given, where nobody else can tell. */
  #head: readonly unknown[] = [];
  /** Bytes of the body: how many a header promises, and how many were written. */
  #promised = Number.POSITIVE_INFINITY;
  #written = 0;

  constructor(res: ServerResponse, answer: Answer, isLate: boolean) {
    this.#res = res;
    this.#answer = answer;
    this.#isLate = isLate;
    const { writeHead, write, end } = res;
    this.#own = { writeHead, write, end };
    // Each at once, for `res.end(page(session))` looks `end` up before the session is written to. Bound, for a function
    // that is written out where a property is assigned is born into V8's old generation, and would keep the session
    // with all that it read until that is collected: a third of what a large session costs.
    res.writeHead = this.#writeHead.bind(this);
    res.write = this.#write.bind(this);
    res.end = this.#end.bind(this);
  }

  /** There is nothing to commit: the response need not wait. */
  open(): void {
    // What waits already goes on in its order.
    this.#isOpen = this.#held === undefined && !this.#sent;
  }

  /** There is something to commit again. Returns where the response stands. */
  shut(): ResponseStage {
    const res = this.#res;
    this.#isOpen = false;
    if (!this.#own.flushHeaders) this.#interceptFlushing();
    if (this.#sent || this.#held || !res.headersSent) return "held";
    this.#sent = true;
    if (this.#ended) {
      this.#answer.over(true);
      return "over";
    }
    this.#more = true;
    this.#promised = promisedBytes(res, this.#head);
    return "sent";
  }

  /** Whether nobody may be heard any more: Node would end the process over a write after the end. */
  #isDeaf(): boolean {
    return this.#abandoned || (this.#isLate && this.#ended && !this.#passing);
  }

  #passes(): boolean {
    return this.#passing || this.#isOpen || (this.#sent && this.#held === undefined);
  }

  #writeHead(...all: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#isDeaf()) return res;
    if (this.#passing || this.#sent) return Reflect.apply(this.#own.writeHead, res, all);
    if (this.#isOpen) {
      this.#head = all;
      return Reflect.apply(this.#own.writeHead, res, all);
    }
    const [code, ...rest] = all;
    if (this.#held) {
      // Middlewares that look at Node's own fields ask for the implicit headers again.
      if (rest.length === 0 && code === this.#status) return res;
      throw headersWereSent();
    }
    const [reason] = rest;
    const headers = rest.at(-1);
    if (isHeaders(headers)) setHeaders(res, headers);
    const args = typeof reason === "string" ? [code, reason] : [code];
    res.statusCode = Number(code);
    this.#hold("writeHead", args);
    return res;
  }

  #write(...args: unknown[]): boolean {
    const res = this.#res;
    if (this.#isDeaf()) return false;
    const bytes = this.#passing ? 0 : sizeOf(args);
    if (this.#passes() && (this.#passing || !this.#more || this.#promised - this.#written > bytes)) {
      this.#written += bytes;
      return Reflect.apply(this.#own.write, res, args);
    }
    this.#hold("write", args);
    this.#heldBytes += bytes;
    // As Node counts. Compression that was mounted before keeps "drain" to itself, and tells of its own buffers alone.
    return this.#heldBytes < res.writableHighWaterMark;
  }

  #end(...args: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#isDeaf()) return res;
    if (this.#passing || this.#isOpen || (this.#ended && this.#held === undefined)) {
      this.#ended ||= this.#isOpen;
      return Reflect.apply(this.#own.end, res, args);
    }
    this.#hold("end", args);
    this.#ended = true;
    this.#pretend("writableEnded", true);
    return res;
  }

  /** Both are called without arguments, none of which can come before. */
  #interceptFlushing(): void {
    const res = this.#res;
    this.#own.flushHeaders = res.flushHeaders;
    res.flushHeaders = this.#flushHeaders.bind(this);
    const flush: unknown = Reflect.get(res, "flush");
    if (typeof flush !== "function") return;
    this.#flush = flush;
    Object.assign(res, {
      flush: () => {
        if (this.#isDeaf()) return;
        if (this.#passes()) Reflect.apply(flush, res, []);
        else if (this.#held) this.#hold("flush", []);
      },
    });
  }

  #flushHeaders(): void {
    if (this.#isDeaf()) return;
    if (this.#passes()) this.#own.flushHeaders?.call(this.#res);
    else this.#hold("flushHeaders", []);
  }

  #hold(method: Call["method"], args: readonly unknown[]): void {
    if (this.#held) {
      this.#held.push({ method, args });
      return;
    }
    const res = this.#res;
    this.#held = [{ method, args }];
    this.#status = res.statusCode;
    this.#reason = isHttp1(res) ? res.statusMessage : undefined;
    if (!this.#own.setHeader) this.#guardHeaders();
    this.#pretend("headersSent", true);
    void this.#settle(this.#held);
  }

  #guardHeaders(): void {
    const res = this.#res;
    const { setHeader, appendHeader, removeHeader } = res;
    Object.assign(this.#own, { setHeader, appendHeader, removeHeader });
    const guarded =
      <A extends unknown[], R>(original: (...args: A) => R) =>
      (...args: A): R => {
        if (this.#held && !this.#passing) throw headersWereSent();
        return Reflect.apply(original, res, args);
      };
    res.setHeader = guarded(setHeader);
    res.appendHeader = guarded(appendHeader);
    res.removeHeader = guarded(removeHeader);
  }

  /** To the handler a response that is held back is one that was sent. */
  #pretend(property: "headersSent" | "writableEnded", value: boolean): void {
    const res: Record<typeof property, boolean> = this.#res;
    // Node has getters for both.
    if (Object.hasOwn(res, property)) res[property] = value;
    else Object.defineProperty(res, property, { value, writable: true, configurable: true });
  }

  async #settle(calls: Call[]): Promise<void> {
    const res = this.#res;
    let drained = false;
    try {
      if (!this.#sent) await this.#letGo();
      // Calls may be added while it waits.
      for (const { method, args } of calls) {
        if (method === "write") this.#written += sizeOf(args);
        // A client that has as many bytes as it was told of has the whole response.
        if (this.#more && (method === "end" || this.#written >= this.#promised)) await this.#answer.commit();
        if (method === "end") this.#more = false;
        this.#passing = true;
        const call = method === "flush" ? this.#flush : this.#own[method];
        const result: unknown = typeof call === "function" && Reflect.apply(call, res, args);
        this.#passing = false;
        this.#pretend("headersSent", true);
        if (method === "write") drained = result === true;
      }
      this.#held = undefined;
      this.#heldBytes = 0;
      if (this.#ended && this.#sealed) this.#answer.over(false);
    } catch (error) {
      this.#passing = false;
      this.#fail(error, calls);
      return;
    }
    // Node tells of its own full buffers; of ours nobody else does.
    if (drained && !this.#ended) res.emit("drain");
  }

  async #letGo(): Promise<void> {
    const res = this.#res;
    let result: Sealed | undefined;
    try {
      result = await this.#answer.seal();
    } catch (error) {
      if (!this.#answer.tolerates(this.#status, error)) throw error;
    }
    // `res.end(await …)` looks `end` up before what it awaits replaces it: Node's own has sent a body without a head.
    if (res.finished && !this.#ended) {
      cut(res);
      throw new TypeError(
        "res.end was looked up before openSession() was called: open the session in a line above",
      );
    }
    this.#sent = true;
    // As middlewares that were mounted before will find it. Deleting the property would make every use of it slow.
    this.#pretend("headersSent", false);
    this.#sealed = result !== undefined;
    this.#more = result?.more ?? false;
    this.#promised = promisedBytes(res);
    this.#passing = true;
    // Who changed it since would have been too late.
    res.statusCode = this.#status;
    // Node's type leaves out that there may be none.
    if (isHttp1(res) && res.statusMessage !== this.#reason)
      Object.assign(res, { statusMessage: this.#reason });
    for (const setCookie of result?.setCookies ?? []) addCookie(res, setCookie);
    this.#passing = false;
  }

  #fail(error: unknown, calls: readonly Call[]): void {
    const res = this.#res;
    this.#held = undefined;
    Reflect.deleteProperty(res, "headersSent");
    Reflect.deleteProperty(res, "writableEnded");
    const tell = (): void => {
      for (const callback of calls.map(({ args }) => args.at(-1)))
        if (typeof callback === "function") callback(error);
    };
    // When the response is over: whoever hears of it earlier may answer too, or cut the connection.
    if (res.closed) process.nextTick(tell);
    else res.once("close", tell);
    const { headersSent } = res;
    this.#abandoned = true;
    // With what other middlewares laid over it, for they have seen the end of this answer.
    Object.assign(res, this.#own);
    if (headersSent) cut(res);
    this.#answer.failed(error, headersSent);
  }
}
