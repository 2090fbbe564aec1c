import type { ServerResponse } from "node:http";
import type { ResponseStage } from "@sessions/core/adapter-tools";
import { Beneath, type Method } from "./beneath.ts";
import { BodyLength, sizeOf } from "./body-length.ts";
import type { Handlers } from "./handlers.ts";
import {
  addCookie,
  addVary,
  cut,
  headersWereSent,
  isGone,
  restoreStatus,
  setHead,
  takeStatus,
  varyHead,
} from "./headers.ts";
import { HeldCalls } from "./held-calls.ts";
import { isClosed, isUnsealed, letsPass, type Phase, phaseAfter, type Transition } from "./phase.ts";
import { onceReturned, pretend, tellCallbacks } from "./pretence.ts";
import { Rehearsal } from "./rehearsal.ts";

/**
 * Lays itself over a response's methods, and holds calls back in their order until the session is committed. `phaseAfter`
 * has the table of its phases.
 *
 * Middlewares that were mounted after this one are called before it, and those mounted before it ("beneath") with the
 * calls that it makes. What the latter write to the session comes too late for this response to wait.
 */
export class Interception {
  readonly #res: ServerResponse;
  readonly #handlers: Handlers;
  /** It takes the place of an abandoned one, and the handler of that may still be writing. */
  readonly #isLate: boolean;
  readonly #beneath: Beneath;
  readonly #ownWriteHead: ServerResponse["writeHead"];
  readonly #body = new BodyLength();
  #rehearsal: Rehearsal | undefined;
  #phase: Phase = "waiting";
  /** While the response is holding or draining. */
  #held: HeldCalls | undefined;
  /** The session may have to be committed again before the body ends. */
  #more = false;

  constructor(res: ServerResponse, handlers: Handlers, isLate = false) {
    this.#res = res;
    this.#handlers = handlers;
    this.#isLate = isLate;
    this.#beneath = new Beneath(res, (error) => handlers.onRefused(error));
    // All at once, for `res.end(page(session))` looks `end` up before the session is written to. Bound for speed: see
    // docs/performance.md, "The memory of a request", and bench/results/1.md.
    this.#ownWriteHead = this.#writeHead.bind(this);
    res.writeHead = this.#ownWriteHead;
    res.write = this.#write.bind(this);
    res.end = this.#end.bind(this);
    res.flushHeaders = this.#flushHeaders.bind(this);
  }

  /** The session has nothing to commit: calls need not wait. Calls that wait already go on in their order. */
  passThrough(): void {
    if (this.#phase === "waiting") this.#go("pass");
  }

  /** The session has something to commit: calls wait, where it is not too late. Returns where the response stands. */
  startHolding(): ResponseStage {
    const res = this.#res;
    const beneath = this.#beneath;
    if (beneath.isCalled) {
      beneath.wroteMeanwhile = true;
      // A middleware that writes at each call was told once.
      return beneath.wasRefused ? "over" : "sent";
    }
    beneath.interceptFlush(() => this.#flush());
    if (this.#held) return "held";
    if (isGone(res) && this.#phase !== "abandoned") this.#go("lose");
    if (isClosed(this.#phase)) {
      this.#handlers.onOver();
      return this.#phase === "ended" ? "sent" : "over";
    }
    if (res.headersSent) {
      this.#commitBeforeEnd();
      return "sent";
    }
    if (this.#phase === "passing") this.#go("wait");
    return "held";
  }

  #go(transition: Transition): void {
    this.#phase = phaseAfter(this.#phase, transition);
  }

  /** The headers are out, and there is something to commit. */
  #commitBeforeEnd(): void {
    if (this.#phase === "waiting" || this.#phase === "passing") this.#go("send");
    this.#more = true;
    this.#body.readPromise(this.#res);
  }

  /** Makes a call, in which middlewares beneath may write to the session. */
  #pass(method: Method, args: readonly unknown[]): unknown {
    const beneath = this.#beneath;
    try {
      return beneath.call(method, args);
    } finally {
      if (!beneath.isCalled && this.#held) pretend(this.#res, "headersSent", true);
      if (!beneath.isCalled && beneath.wroteMeanwhile) this.#catchUp();
    }
  }

  /** Commits before the body ends where there is time, or else now. */
  #catchUp(): void {
    this.#beneath.wroteMeanwhile = false;
    if (this.#res.headersSent && !this.#hasEnded()) this.#commitBeforeEnd();
    else this.#handlers.onOver();
  }

  #rehearse(): void {
    const res = this.#res;
    if (res.writeHead === this.#ownWriteHead || this.#beneath.isCalled || this.#held || res.headersSent)
      return;
    this.#rehearsal ??= new Rehearsal();
    this.#rehearsal.run(res, this.#ownWriteHead);
  }

  /** Whether `end` was called, held back or not. */
  #hasEnded(): boolean {
    return this.#phase === "ended" || this.#phase === "over" || this.#held?.hasEnd === true;
  }

  /** Whether calls are dropped: Node would end the process over a write after the end. */
  #isDeaf(): boolean {
    return this.#phase === "abandoned" || (this.#isLate && this.#hasEnded() && !this.#beneath.isCalled);
  }

  #passes(): boolean {
    return this.#beneath.isCalled || letsPass(this.#phase);
  }

  #writeHead(...given: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#isDeaf() || this.#rehearsal?.takes(res, given)) return res;
    // A sealed response has the header already. Middlewares that wrapped `setHeader` may write to the session here.
    const needsVary = isUnsealed(this.#phase) && !res.headersSent;
    const head = needsVary && this.#handlers.varies() ? varyHead(res, given) : given;
    if (this.#passes()) {
      this.#body.noteHead(head);
      this.#pass("writeHead", head);
      return res;
    }
    const [code, ...rest] = head;
    if (this.#held) {
      // Middlewares that look at Node's own fields ask for the implicit headers again.
      if (rest.length === 0 && code === this.#held.status.code) return res;
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
    // As Node counts. Compression that was mounted before keeps "drain" to itself, and tells of its own buffers alone.
    return this.#hold("write", args, bytes).bytes < res.writableHighWaterMark;
  }

  #end(...args: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#isDeaf()) return res;
    this.#rehearse();
    const isFirst = !this.#hasEnded();
    if (this.#beneath.isCalled || (!isFirst && !this.#held)) {
      this.#pass("end", args);
      return res;
    }
    if (isFirst) onceReturned(() => this.#endReturned());
    if (this.#phase === "passing") {
      this.#go("end");
      this.#pass("end", args);
    } else {
      pretend(res, "writableEnded", true);
      this.#pretendFinished();
      this.#hold("end", args);
    }
    return res;
  }

  #endReturned(): void {
    if (this.#held) this.#held.isEndReturned = true;
    else if (this.#phase === "ended") this.#go("leave");
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

  #hold(method: Method, args: readonly unknown[], bytes = 0): HeldCalls {
    const res = this.#res;
    const held = this.#held ?? new HeldCalls(takeStatus(res));
    held.add(method, args, bytes);
    if (this.#held) return held;
    this.#held = held;
    this.#go("hold");
    this.#beneath.guardHeaders(() => this.#held !== undefined);
    pretend(res, "headersSent", true);
    void this.#drain(held);
    return held;
  }

  /** Node refuses writes by it: a middleware beneath that writes in its own time must not meet a pretended one. */
  #pretendFinished(): void {
    const isSealed = this.#phase === "sent" || this.#phase === "draining";
    if (!isSealed || !this.#beneath.isWrapped) pretend(this.#res, "finished", true);
  }

  async #drain(held: HeldCalls): Promise<void> {
    const res = this.#res;
    let hasRoom = false;
    let isDone = false;
    try {
      if (this.#phase === "holding") await this.#seal(held);
      // Calls may be added while it waits.
      for (const { method, args, bytes } of held.calls) {
        this.#body.add(bytes);
        // A client that has as many bytes as it was told of has the whole response.
        if (this.#more && (method === "end" || this.#body.isWhole())) await this.#handlers.onLastByte();
        if (method === "end") this.#more = false;
        if (held.hasEnd && !isDone) pretend(res, "finished", false);
        const result = this.#pass(method, args);
        isDone ||= method === "end";
        if (held.hasEnd && !isDone) this.#pretendFinished();
        if (method === "write") hasRoom = result === true;
      }
    } catch (error) {
      this.#fail(error, held);
      return;
    }
    this.#held = undefined;
    this.#go(held.hasEnd ? "end" : "send");
    if (held.isEndReturned) this.#go("leave");
    // What middlewares beneath wrote counts, too.
    if (held.hasEnd) this.#handlers.onOver();
    // Node tells of its own full buffers alone.
    else if (hasRoom) res.emit("drain");
  }

  /** Commits the session, and completes the headers. */
  async #seal(held: HeldCalls): Promise<void> {
    const res = this.#res;
    const sealed = await this.#handlers.onSeal(held.status.code);
    // `res.end(await …)` looks `end` up before what it awaits replaces it: Node's own has sent a body without a head.
    if (res.finished && !held.hasEnd) {
      cut(res);
      throw new TypeError(
        "res.end was looked up before openSession() was called: open the session in a line above",
      );
    }
    this.#go("seal");
    // As middlewares beneath will find it. Deleting the property would make every use of it slow.
    pretend(res, "headersSent", false);
    if (held.hasEnd) pretend(res, "finished", false);
    this.#more = sealed?.more ?? false;
    this.#body.readPromise(res);
    this.#beneath.during(() => {
      // A change since then would have been too late.
      restoreStatus(res, held.status);
      if (this.#handlers.varies()) addVary(res);
      for (const setCookie of sealed?.setCookies ?? []) addCookie(res, setCookie);
    });
  }

  #fail(error: unknown, held: HeldCalls): void {
    const res = this.#res;
    this.#held = undefined;
    for (const pretended of ["headersSent", "writableEnded"]) Reflect.deleteProperty(res, pretended);
    if (held.hasEnd) pretend(res, "finished", false);
    tellCallbacks(res, held.calls, error);
    const { headersSent } = res;
    this.#go("abandon");
    // With what other middlewares laid over it, for they have seen the end of this answer.
    this.#beneath.restore();
    if (headersSent) cut(res);
    this.#handlers.onFail(error, headersSent);
  }
}
