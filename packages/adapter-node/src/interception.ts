import type { ServerResponse } from "node:http";
import type { ResponseStage } from "@sessions/core/adapter-tools";
import type { Answer } from "./answer.ts";
import { Beneath, type Call, type Method } from "./beneath.ts";
import { BodyLength, sizeOf } from "./body-length.ts";
import {
  addCookie,
  addVary,
  cut,
  headersWereSent,
  isGone,
  isHttp1,
  restoreStatus,
  type Status,
  setHead,
  takeStatus,
  varyHead,
} from "./headers.ts";
import { onceReturned, pretend, tellCallbacks } from "./pretence.ts";

/**
 * Lays itself over a response, and holds its calls back in their order until the answer is sealed. It begins shut; while
 * it is open, because there is nothing to commit, all of them pass.
 *
 * Middlewares that were mounted after this one are called before it, and those mounted before it with the calls that it
 * makes. What the latter write to the session comes too late for this response to wait.
 */
export class Interception {
  readonly #res: ServerResponse;
  readonly #answer: Answer;
  /** It takes the place of an answer whose author may still be writing. */
  readonly #isLate: boolean;
  readonly #beneath: Beneath;
  readonly #ownWriteHead: ServerResponse["writeHead"];
  readonly #body = new BodyLength();
  #isOpen = false;
  /** What is held back, in order. */
  #held: Call[] | undefined;
  #heldBytes = 0;
  #status: Status | undefined;
  #sent = false;
  #ended = false;
  /** `end` was called, and who called it has returned. */
  #isOver = false;
  #abandoned = false;
  #writtenInPassing = false;
  #rehearsing = false;
  /** The session may have to be committed again before the body ends. */
  #more = false;
  /** What `writeHead` was given, where nothing else can tell. */
  #head: readonly unknown[] = [];

  constructor(res: ServerResponse, answer: Answer, isLate: boolean) {
    this.#res = res;
    this.#answer = answer;
    this.#isLate = isLate;
    this.#beneath = new Beneath(res, (error) => answer.refused(error));
    // Each at once, for `res.end(page(session))` looks `end` up before the session is written to. Bound, for a function
    // that is written out where a property is assigned is born into V8's old generation, and would keep the session
    // with all that it read until that is collected: a third of what a large session costs.
    this.#ownWriteHead = this.#writeHead.bind(this);
    res.writeHead = this.#ownWriteHead;
    res.write = this.#write.bind(this);
    res.end = this.#end.bind(this);
    res.flushHeaders = this.#flushHeaders.bind(this);
  }

  /** There is nothing to commit: the response need not wait. */
  open(): void {
    // What waits already goes on in its order.
    this.#isOpen = this.#held === undefined && !this.#sent;
  }

  /** There is something to commit again. Returns where the response stands. */
  shut(): ResponseStage {
    const res = this.#res;
    if (this.#beneath.isCalled) {
      this.#writtenInPassing = true;
      // A middleware that writes at each call was told once.
      return this.#beneath.wasRefused ? "over" : "sent";
    }
    this.#isOpen = false;
    this.#beneath.interceptFlush(() => this.#flush());
    if (this.#held) return "held";
    const isOver = this.#isOver || isGone(res);
    if (isOver || this.#ended) {
      this.#ended = true;
      this.#answer.commitLate();
      return isOver ? "over" : "sent";
    }
    if (!res.headersSent) return "held";
    this.#wasSent();
    return "sent";
  }

  /** The headers went out without a commit, and now there is something to commit. */
  #wasSent(): void {
    this.#isOpen = false;
    this.#sent = true;
    this.#more = true;
    this.#body.expect(this.#res, this.#head);
  }

  /** Makes a call, in which middlewares that were mounted before may write to the session. */
  #pass(method: Method, args: readonly unknown[]): unknown {
    const beneath = this.#beneath;
    try {
      return beneath.call(method, args);
    } finally {
      if (!beneath.isCalled && this.#held) pretend(this.#res, "headersSent", true);
      if (!beneath.isCalled && this.#writtenInPassing) this.#catchUp();
    }
  }

  /** Commits before the body ends where there is time, or else now. */
  #catchUp(): void {
    this.#writtenInPassing = false;
    if (this.#res.headersSent && !this.#ended) this.#wasSent();
    else this.#answer.commitLate();
  }

  /**
   * Lets middlewares that wrapped `writeHead` after this one (`on-headers`) do their work before it is decided whether the
   * response waits: they may write to the session. Node would call them in the middle of its own work, when it is too
   * late to wait. They are called once.
   */
  #rehearse(): void {
    const res = this.#res;
    const { writeHead } = res;
    if (writeHead === this.#ownWriteHead || this.#beneath.isCalled || this.#held || res.headersSent) return;
    this.#rehearsing = true;
    try {
      writeHead.call(res, res.statusCode);
      if (!this.#rehearsing) res.writeHead = this.#ownWriteHead;
    } finally {
      this.#rehearsing = false;
    }
  }

  /** Whether nobody may be heard any more: Node would end the process over a write after the end. */
  #isDeaf(): boolean {
    return this.#abandoned || (this.#isLate && this.#ended && !this.#beneath.isCalled);
  }

  #passes(): boolean {
    return this.#beneath.isCalled || this.#isOpen || (this.#sent && this.#held === undefined);
  }

  #writeHead(...given: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#isDeaf()) return res;
    if (this.#rehearsing) {
      const [, reason] = setHead(res, given);
      if (typeof reason === "string" && isHttp1(res)) res.statusMessage = reason;
      this.#rehearsing = false;
      return res;
    }
    // Middlewares that wrapped `setHeader` may write to the session here.
    const head = this.#isOpen && this.#answer.varies() ? varyHead(res, given) : given;
    if (this.#passes()) {
      this.#head = head;
      this.#pass("writeHead", head);
      return res;
    }
    const [code, ...rest] = head;
    if (this.#held) {
      // Middlewares that look at Node's own fields ask for the implicit headers again.
      if (rest.length === 0 && code === this.#status?.code) return res;
      throw headersWereSent();
    }
    this.#hold("writeHead", setHead(res, head));
    return res;
  }

  #write(...args: unknown[]): boolean {
    const res = this.#res;
    if (this.#isDeaf()) return false;
    this.#rehearse();
    const bytes = this.#beneath.isCalled ? 0 : sizeOf(args);
    if (this.#beneath.isCalled || (this.#passes() && !(this.#more && this.#body.isWhole(bytes)))) {
      this.#body.add(bytes);
      return this.#pass("write", args) === true;
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
    const isAgain = this.#ended && this.#held === undefined;
    if (this.#beneath.isCalled || isAgain) {
      this.#pass("end", args);
      return res;
    }
    if (!this.#ended) onceReturned(() => this.#markOver());
    this.#ended = true;
    if (this.#isOpen) this.#pass("end", args);
    else {
      pretend(res, "writableEnded", true);
      this.#pretendFinished(true);
      this.#hold("end", args);
    }
    return res;
  }

  #markOver(): void {
    this.#isOver = true;
  }

  #flushHeaders(): void {
    if (this.#isDeaf()) return;
    this.#rehearse();
    if (this.#passes()) this.#pass("flushHeaders", []);
    else this.#hold("flushHeaders", []);
  }

  #flush(): void {
    if (this.#isDeaf()) return;
    if (this.#passes()) this.#pass("flush", []);
    else if (this.#held) this.#hold("flush", []);
  }

  #hold(method: Method, args: readonly unknown[]): void {
    if (this.#held) {
      this.#held.push({ method, args });
      return;
    }
    const res = this.#res;
    this.#held = [{ method, args }];
    this.#status = takeStatus(res);
    this.#beneath.guardHeaders(() => this.#held !== undefined);
    pretend(res, "headersSent", true);
    void this.#settle(this.#held);
  }

  /** Node refuses writes by it: what middlewares below write in their own time is not to meet a pretended one. */
  #pretendFinished(value: boolean): void {
    if (this.#ended && !(value && this.#sent && this.#beneath.isWrapped))
      pretend(this.#res, "finished", value);
  }

  async #settle(calls: Call[]): Promise<void> {
    const res = this.#res;
    let drained = false;
    let isDone = false;
    try {
      if (!this.#sent) await this.#letGo();
      // Calls may be added while it waits.
      for (const { method, args } of calls) {
        if (method === "write") this.#body.add(sizeOf(args));
        // A client that has as many bytes as it was told of has the whole response.
        if (this.#more && (method === "end" || this.#body.isWhole())) await this.#answer.commit();
        if (method === "end") this.#more = false;
        if (!isDone) this.#pretendFinished(false);
        const result = this.#pass(method, args);
        isDone ||= method === "end";
        if (!isDone) this.#pretendFinished(true);
        if (method === "write") drained = result === true;
      }
      this.#held = undefined;
      this.#heldBytes = 0;
      // By middlewares that were mounted before this one, as well.
      if (this.#ended) this.#answer.commitLate();
    } catch (error) {
      this.#fail(error, calls);
      return;
    }
    // Node tells of its own full buffers; of ours nobody else does.
    if (drained && !this.#ended) res.emit("drain");
  }

  async #letGo(): Promise<void> {
    const res = this.#res;
    const result = await this.#answer.seal(this.#status?.code ?? res.statusCode);
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
    this.#pretendFinished(false);
    this.#more = result?.more ?? false;
    this.#body.expect(res);
    this.#beneath.isCalled = true;
    // A change since then would have been too late.
    if (this.#status) restoreStatus(res, this.#status);
    if (this.#answer.varies()) addVary(res);
    for (const setCookie of result?.setCookies ?? []) addCookie(res, setCookie);
    this.#beneath.isCalled = false;
  }

  #fail(error: unknown, calls: readonly Call[]): void {
    const res = this.#res;
    this.#beneath.isCalled = false;
    this.#held = undefined;
    for (const pretended of ["headersSent", "writableEnded"]) Reflect.deleteProperty(res, pretended);
    this.#pretendFinished(false);
    tellCallbacks(res, calls, error);
    const { headersSent } = res;
    this.#abandoned = true;
    // With what other middlewares laid over it, for they have seen the end of this answer.
    this.#beneath.restore();
    if (headersSent) cut(res);
    this.#answer.failed(error, headersSent);
  }
}
