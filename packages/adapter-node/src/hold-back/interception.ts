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
import { canHold, isUnsealed, letsPass, type Phase, phaseAfter, type Transition } from "./phase.ts";
import { onceReturned, pretend, tellCallbacks } from "./pretence.ts";
import { Rehearsal } from "./rehearsal.ts";

/**
 * Replaces a response's methods, and holds calls back in order until the session is committed. {@link phaseAfter} has
 * the table of its phases.
 *
 * Middlewares that were mounted after this one run before it. Those mounted before it are "beneath": they run during
 * the calls that this class makes. Their writes to the session come too late for the response to wait.
 */
export class Interception {
  readonly #res: ServerResponse;
  readonly #handlers: Handlers;
  /** It replaces an abandoned interception, whose handler may still be writing. */
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

  /** The session has nothing to commit, so new calls need not wait. Held calls stay in order. */
  passThrough(): void {
    if (this.#phase === "waiting") this.#go("pass");
  }

  /** The session has something to commit, so calls wait if it is not too late. Returns the stage of the response. */
  startHolding(): ResponseStage {
    const res = this.#res;
    const beneath = this.#beneath;
    if (beneath.isCalled) {
      beneath.wroteMeanwhile = true;
      // A middleware that writes at each call has already had the error once.
      return beneath.wasRefused ? "over" : "sent";
    }
    beneath.interceptFlush(() => this.#flush());
    if (this.#held) return "held";
    if (isGone(res) && this.#phase !== "abandoned") this.#go("lose");
    if (!canHold(this.#phase)) {
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

  /** Makes a call. Middlewares beneath may write to the session during it. */
  #pass(method: Method, args: readonly unknown[]): unknown {
    const beneath = this.#beneath;
    try {
      return beneath.call(method, args);
    } finally {
      if (!beneath.isCalled && this.#held) pretend(this.#res, "headersSent", true);
      if (!beneath.isCalled && beneath.wroteMeanwhile) this.#catchUp();
    }
  }

  /** Commits before the body ends if that is still possible, otherwise now. */
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

  /** Whether calls are dropped. Node would end the process because of a write after the end. */
  #dropsCalls(): boolean {
    return this.#phase === "abandoned" || (this.#isLate && this.#hasEnded() && !this.#beneath.isCalled);
  }

  #passes(): boolean {
    return this.#beneath.isCalled || letsPass(this.#phase);
  }

  #writeHead(...given: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#dropsCalls() || this.#rehearsal?.takes(res, given)) return res;
    // A sealed response already has the header. Middlewares that wrapped `setHeader` may write to the session here.
    const needsVary = isUnsealed(this.#phase) && !res.headersSent;
    const head = needsVary && this.#handlers.varies() ? varyHead(res, given) : given;
    if (this.#passes()) {
      this.#body.noteHead(head);
      this.#pass("writeHead", head);
      return res;
    }
    const [code, ...rest] = head;
    if (this.#held) {
      // Middlewares that read Node's private fields call writeHead again for the implicit headers.
      if (rest.length === 0 && code === this.#held.status.code) return res;
      throw headersWereSent();
    }
    this.#hold("writeHead", setHead(res, head));
    return res;
  }

  #write(...args: unknown[]): boolean {
    const res = this.#res;
    if (this.#dropsCalls()) return false;
    this.#rehearse();
    const bytes = this.#beneath.isCalled ? 0 : sizeOf(args);
    if (this.#beneath.isCalled || (this.#passes() && !(this.#more && this.#body.isWhole(bytes)))) {
      this.#body.add(bytes);
      return this.#pass("write", args) === true;
    }
    // Counted as Node does. Compression that was mounted before emits "drain" only for its own buffer.
    return this.#hold("write", args, bytes).bytes < res.writableHighWaterMark;
  }

  #end(...args: unknown[]): ServerResponse {
    const res = this.#res;
    if (this.#dropsCalls()) return res;
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
    if (this.#dropsCalls()) return;
    this.#rehearse();
    if (this.#passes()) this.#pass("flushHeaders", []);
    else this.#hold("flushHeaders", []);
  }

  #flush(): void {
    if (this.#dropsCalls()) return;
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

  /** Node refuses writes if `finished` is set. So do not pretend it to a middleware beneath that may still write. */
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
      // More calls may be added during an await.
      for (const { method, args, bytes } of held.calls) {
        this.#body.add(bytes);
        // A client that has all the bytes that Content-Length promised does not wait for the end.
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
    // Middlewares beneath may have written to the session.
    if (held.hasEnd) this.#handlers.onOver();
    // Node emits "drain" only if its own buffer was full.
    else if (hasRoom) res.emit("drain");
  }

  /** Commits the session, and completes the headers. */
  async #seal(held: HeldCalls): Promise<void> {
    const res = this.#res;
    const sealed = await this.#handlers.onSeal(held.status.code);
    // `res.end(await openSession(…))` looks `end` up before it is replaced, so Node's own `end` has already run.
    if (res.finished && !held.hasEnd) {
      cut(res);
      throw new TypeError(
        "openSession: res.end was looked up too early. Await openSession() in a statement before res.end()",
      );
    }
    this.#go("seal");
    // Middlewares beneath must find it unsent. Deleting the property instead would make every use of it slow.
    pretend(res, "headersSent", false);
    if (held.hasEnd) pretend(res, "finished", false);
    this.#more = sealed?.more ?? false;
    this.#body.readPromise(res);
    this.#beneath.during(() => {
      // A status that was set after the first held call comes too late.
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
    // Wrappers of other middlewares go too: they have already seen the end of this response.
    this.#beneath.restore();
    if (headersSent) cut(res);
    this.#handlers.onFail(error, headersSent);
  }
}
