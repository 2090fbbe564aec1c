import type { ServerResponse } from "node:http";
import type { ResponseStage } from "@sessions/core/adapter-tools";
import type { Answer, Sealed } from "./answer.ts";
import {
  addCookie,
  addVary,
  cut,
  headersWereSent,
  isHttp1,
  promisedBytes,
  setHead,
  sizeOf,
} from "./headers.ts";
import { guardHeaders, pretend } from "./pretence.ts";

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
  /** A middleware that was mounted before this one is called with each call that is made: it may write to the session. */
  readonly #isWrapped: boolean;
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
  /** What Node and other middlewares call while a call is passed on passes through. */
  #passing = false;
  /** The session was written to while a call was passed on: too late to hold that one back. */
  #writtenMeanwhile = false;
  /** Middlewares that were mounted after this one see the head, before anything is decided. */
  #rehearsing = false;
  readonly #ownWriteHead: ServerResponse["writeHead"];
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
    this.#isWrapped = ["writeHead", "write", "end"].some((method) => Object.hasOwn(res, method));
    // Each at once, for `res.end(page(session))` looks `end` up before the session is written to. Bound, for a function
    // that is written out where a property is assigned is born into V8's old generation, and would keep the session
    // with all that it read until that is collected: a third of what a large session costs.
    this.#ownWriteHead = this.#writeHead.bind(this);
    res.writeHead = this.#ownWriteHead;
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
    // A middleware that was mounted before this one writes as the head goes out.
    if (this.#passing) {
      this.#writtenMeanwhile = true;
      return "sent";
    }
    // The client went away: no response will carry anything.
    const isOver = res.closed && !this.#held;
    if (!isOver && (this.#sent || this.#held || !res.headersSent)) return "held";
    if (isOver) this.#ended = true;
    return this.#wasSent();
  }

  /** The headers went out without a commit, and now there is something to commit. */
  #wasSent(): ResponseStage {
    this.#sent = true;
    this.#sealed = true;
    if (this.#ended) return this.#answer.over(true);
    this.#more = true;
    this.#promised = promisedBytes(this.#res, this.#head);
    return "sent";
  }

  /**
   * Makes a call while the response is open. What is written to the session meanwhile, by middlewares that were mounted
   * before, is committed before the rest of the body ends, or after it.
   */
  #pass<T>(call: (...args: never[]) => T, args: readonly unknown[]): T {
    const res = this.#res;
    const isFirst = !this.#passing;
    this.#passing = true;
    try {
      return Reflect.apply(call, res, args);
    } finally {
      if (isFirst) {
        this.#passing = false;
        if (this.#writtenMeanwhile) this.#goOn();
      }
    }
  }

  #goOn(): void {
    this.#writtenMeanwhile = false;
    if (this.#res.headersSent) this.#wasSent();
    else {
      // The write was refused, and the error page that follows is free to go, even if it is met by the same write.
      this.#isOpen = this.#held === undefined;
      this.#answer.refused();
    }
  }

  /**
   * Lets middlewares that wrapped `writeHead` after this one (`on-headers`) do their work before it is decided whether the
   * response waits: they may write to the session. Node would call them in the middle of its own work, when it is too
   * late to wait. They are called once.
   */
  #rehearse(): void {
    const res = this.#res;
    const { writeHead } = res;
    if (writeHead === this.#ownWriteHead || this.#passing || this.#held || res.headersSent) return;
    this.#rehearsing = true;
    try {
      writeHead.call(res, res.statusCode);
    } finally {
      this.#rehearsing = false;
    }
    res.writeHead = this.#ownWriteHead;
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
    if (this.#rehearsing) {
      const [, reason] = setHead(res, all);
      if (typeof reason === "string" && isHttp1(res)) res.statusMessage = reason;
      return res;
    }
    if (this.#sent || (this.#passing && !this.#isOpen)) return Reflect.apply(this.#own.writeHead, res, all);
    if (this.#isOpen) {
      this.#head = this.#answer.varies() ? this.#vary(all) : all;
      return this.#pass(this.#own.writeHead, this.#head);
    }
    const [code, ...rest] = all;
    if (this.#held) {
      // Middlewares that look at Node's own fields ask for the implicit headers again.
      if (rest.length === 0 && code === this.#status) return res;
      throw headersWereSent();
    }
    this.#hold("writeHead", setHead(this.#res, all));
    return res;
  }

  /** The same head, with `Vary`. */
  #vary(all: readonly unknown[]): readonly unknown[] {
    const head = setHead(this.#res, all);
    addVary(this.#res);
    return head;
  }

  #write(...args: unknown[]): boolean {
    const res = this.#res;
    if (this.#isDeaf()) return false;
    this.#rehearse();
    const bytes = this.#passing ? 0 : sizeOf(args);
    if (this.#passes() && (this.#passing || !this.#more || this.#promised - this.#written > bytes)) {
      this.#written += bytes;
      return this.#pass(this.#own.write, args);
    }
    this.#hold("write", args);
    this.#heldBytes += bytes;
    // As Node counts. Compression that was mounted before keeps "drain" to itself, and tells of its own buffers alone.
    return this.#heldBytes < res.writableHighWaterMark;
  }

  #end(...args: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#isDeaf()) return res;
    this.#rehearse();
    if (this.#passing || this.#isOpen || (this.#ended && this.#held === undefined)) {
      this.#ended ||= this.#isOpen;
      return this.#pass(this.#own.end, args);
    }
    this.#hold("end", args);
    this.#ended = true;
    pretend(res, "writableEnded", true);
    pretend(res, "finished", true);
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
        if (this.#passes()) this.#pass(flush as () => void, []);
        else if (this.#held) this.#hold("flush", []);
      },
    });
  }

  #flushHeaders(): void {
    if (this.#isDeaf()) return;
    this.#rehearse();
    const { flushHeaders } = this.#own;
    if (!this.#passes()) this.#hold("flushHeaders", []);
    else if (flushHeaders) this.#pass(flushHeaders, []);
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
    if (!this.#own.setHeader)
      Object.assign(
        this.#own,
        guardHeaders(res, () => this.#held !== undefined && !this.#passing),
      );
    pretend(res, "headersSent", true);
    void this.#settle(this.#held);
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
        pretend(res, "finished", false);
        this.#passing = true;
        const call = method === "flush" ? this.#flush : this.#own[method];
        const result: unknown = typeof call === "function" && Reflect.apply(call, res, args);
        this.#passing = false;
        pretend(res, "headersSent", true);
        if (this.#ended && method !== "end") pretend(res, "finished", true);
        // By a middleware that was mounted before this one, as the head went out.
        this.#more ||= this.#writtenMeanwhile;
        if (method === "write") drained = result === true;
      }
      this.#held = undefined;
      this.#heldBytes = 0;
      if (this.#ended && this.#sealed) this.#answer.over(this.#isWrapped);
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
      result = await this.#answer.seal(this.#status);
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
    pretend(res, "headersSent", false);
    this.#sealed = result !== undefined;
    this.#more = result?.more ?? false;
    this.#promised = promisedBytes(res);
    this.#passing = true;
    // Who changed it since would have been too late.
    res.statusCode = this.#status;
    // Node's type leaves out that there may be none.
    if (isHttp1(res) && res.statusMessage !== this.#reason)
      Object.assign(res, { statusMessage: this.#reason });
    if (result?.varies) addVary(res);
    for (const setCookie of result?.setCookies ?? []) addCookie(res, setCookie);
    this.#passing = false;
  }

  #fail(error: unknown, calls: readonly Call[]): void {
    const res = this.#res;
    this.#held = undefined;
    Reflect.deleteProperty(res, "headersSent");
    Reflect.deleteProperty(res, "writableEnded");
    pretend(res, "finished", false);
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
