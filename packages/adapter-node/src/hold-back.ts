import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import type { Session } from "@sessions/core";
import { addCookie, cut, isHttp1, restore, setHeaders, sizeOf, takeSnapshot } from "./headers.ts";

export type Next = (error?: unknown) => void;

interface Call {
  readonly method: "writeHead" | "write" | "end" | "flushHeaders" | "flush";
  readonly args: readonly unknown[];
}

/** What a response may go out with. */
export interface Sealed {
  readonly setCookies: readonly string[];
  /** Whether the session can still be written to. */
  readonly more: boolean;
}

/** Commits a session for headers that go out now; `undefined` where they are to go out uncommitted. */
export type Seal = (session: Session) => Promise<Sealed | undefined>;

/** One answer to a request: the handler's, or the error page that takes its place. */
interface Answer {
  /** Commits and seals; nothing where there is no session. */
  seal(): Promise<Sealed | undefined>;
  /** Commits what was written since. */
  commit(): Promise<unknown>;
  /** Whether an answer of this status may go out uncommitted, because it is an error page that says so already. */
  tolerates(status: number, error: unknown): boolean;
  /** After `error`, with the response as it was before the answer, or with its connection cut. */
  failed(error: unknown, headersSent: boolean): void;
  /** It takes the place of an answer whose author may still be writing. */
  readonly late: boolean;
}

/** Holds a response back until its session is committed. Without `next` errors are answered here. */
export function holdBack(
  res: ServerResponse,
  opened: Promise<Session>,
  next: Next | undefined,
  seal: Seal = sealSession,
): void {
  const before = takeSnapshot(res);
  const sources = new Set<Readable>();
  let session: Session | undefined;
  let failures = 0;
  res.on("pipe", (source: Readable) => sources.add(source));
  opened.then(
    (it) => {
      session = it;
    },
    // Who called openSession has the error.
    () => undefined,
  );

  const answer = {
    // At once where it can be: what is written after res.end() is late, whatever the event loop does.
    seal: () => (session ? seal(session) : opened.then(seal, () => undefined)),
    commit: async () => session?.commit(),
    tolerates(status: number, error: unknown) {
      if (status < 500) return false;
      // The page tells of another error, and no handler is left to be told of this one.
      if (failures === 0) process.emitWarning(error instanceof Error ? error : String(error));
      return true;
    },
    failed(error: unknown, headersSent: boolean) {
      failures++;
      if (!headersSent) {
        for (const source of sources) source.unpipe(res);
        restore(res, before);
      }
      if (next && (headersSent || failures === 1)) {
        if (!headersSent) intercept(res, { ...answer, late: true });
        next(error);
        return;
      }
      if (failures === 1) process.emitWarning(error instanceof Error ? error : String(error));
      // Even this answer failed: something throws at whatever is sent.
      if (failures > 2) cut(res);
      if (headersSent || failures > 2) return;
      intercept(res, { ...answer, late: true, seal: async () => undefined });
      res.setHeader("Content-Type", "text/plain; charset=utf-8");
      res.end("Internal Server Error");
    },
    late: false,
  };
  intercept(res, answer);
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

function intercept(res: ServerResponse, answer: Answer): void {
  const { writeHead, write, end, flushHeaders, setHeader, appendHeader, removeHeader } = res;
  /** Compression adds it, for streams of events: what it holds back itself is to go out. */
  const flush: unknown = Reflect.get(res, "flush");
  const own = { writeHead, write, end, flushHeaders, setHeader, appendHeader, removeHeader };
  /** What is held back, in order. */
  let held: Call[] | undefined;
  let heldBytes = 0;
  let status = 200;
  let reason: string | undefined;
  let sent = false;
  let ended = false;
  let abandoned = false;
  /** What Node and other middlewares call while held calls are made passes through. */
  let passing = false;
  let more = false;
  /** Bytes that are still to come, where a header says how many there are. */
  let remaining = Number.POSITIVE_INFINITY;

  /** Whether nobody may be heard any more: Node would end the process over a write after the end. */
  const isDeaf = (): boolean => abandoned || (answer.late && ended && !passing);
  const passes = (): boolean => passing || (sent && held === undefined);

  function hold(method: Call["method"], args: readonly unknown[]): void {
    if (held) {
      held.push({ method, args });
      return;
    }
    held = [{ method, args }];
    status = res.statusCode;
    reason = isHttp1(res) ? res.statusMessage : undefined;
    pretend("headersSent", true);
    void settle(held);
  }

  /** To the handler a response that is held back is one that was sent. */
  function pretend(property: "headersSent" | "writableEnded", value: boolean): void {
    Object.defineProperty(res, property, { value, writable: true, configurable: true });
  }

  async function settle(calls: Call[]): Promise<void> {
    let drained = false;
    try {
      if (!sent) await letGo();
      // Calls may be added while it waits.
      for (const { method, args } of calls) {
        if (method === "write") remaining -= sizeOf(args);
        // A client that has as many bytes as it was told of has the whole response.
        if (more && (method === "end" || remaining <= 0)) await answer.commit();
        if (method === "end") more = false;
        passing = true;
        const call = method === "flush" ? flush : own[method];
        const result: unknown = typeof call === "function" && Reflect.apply(call, res, args);
        passing = false;
        pretend("headersSent", true);
        if (method === "write") drained = result === true;
      }
      held = undefined;
      heldBytes = 0;
    } catch (error) {
      passing = false;
      fail(error, calls);
      return;
    }
    // Node tells of its own full buffers; of ours nobody else does.
    if (drained && !ended) res.emit("drain");
  }

  async function letGo(): Promise<void> {
    let result: Sealed | undefined;
    try {
      result = await answer.seal();
    } catch (error) {
      if (!answer.tolerates(status, error)) throw error;
    }
    // `res.end(await …)` looks `end` up before what it awaits replaces it: Node's own has sent a body without a head.
    if (res.finished && !ended) {
      cut(res);
      throw new TypeError(
        "res.end was looked up before openSession() was called: open the session in a line above",
      );
    }
    sent = true;
    // As middlewares that were mounted before will find it. Deleting the property would make every use of it slow.
    pretend("headersSent", false);
    more = result?.more ?? false;
    remaining = Number(res.getHeader("Content-Length") ?? remaining);
    passing = true;
    // Who changed it since would have been too late.
    res.statusCode = status;
    // Node's type leaves out that there may be none.
    if (isHttp1(res)) Object.assign(res, { statusMessage: reason });
    for (const setCookie of result?.setCookies ?? []) addCookie(res, setCookie);
    passing = false;
  }

  function fail(error: unknown, calls: readonly Call[]): void {
    held = undefined;
    Reflect.deleteProperty(res, "headersSent");
    Reflect.deleteProperty(res, "writableEnded");
    const callbacks = calls.map(({ args }) => args.at(-1));
    const tell = (): void => {
      for (const callback of callbacks) if (typeof callback === "function") callback(error);
    };
    // When the response is over: whoever hears of it earlier may answer too, or cut the connection.
    if (res.closed) process.nextTick(tell);
    else res.once("close", tell);
    const { headersSent } = res;
    abandoned = true;
    // With what other middlewares laid over it, for they have seen the end of this answer.
    Object.assign(res, own);
    if (headersSent) cut(res);
    answer.failed(error, headersSent);
  }

  res.writeHead = (
    code: number,
    ...rest: (string | OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined)[]
  ) => {
    if (isDeaf()) return res;
    if (passing || sent) return Reflect.apply(own.writeHead, res, [code, ...rest]);
    if (held) {
      // Middlewares that look at Node's own fields ask for the implicit headers again.
      if (rest.length === 0 && code === status) return res;
      throw headersWereSent();
    }
    const [given] = rest;
    const headers = rest.at(-1);
    if (typeof headers === "object" && headers !== null) setHeaders(res, headers);
    res.statusCode = code;
    hold("writeHead", typeof given === "string" ? [code, given] : [code]);
    return res;
  };

  res.flushHeaders = () => {
    if (isDeaf()) return;
    if (passes()) own.flushHeaders.call(res);
    else hold("flushHeaders", []);
  };

  res.write = (...args: unknown[]): boolean => {
    if (isDeaf()) return false;
    if (passes() && (passing || !more || remaining > sizeOf(args))) {
      if (!passing) remaining -= sizeOf(args);
      return Reflect.apply(own.write, res, args);
    }
    hold("write", args);
    heldBytes += sizeOf(args);
    // As Node counts. Compression that was mounted before keeps "drain" to itself, and tells of its own buffers alone.
    return heldBytes < res.writableHighWaterMark;
  };

  if (typeof flush === "function")
    Object.assign(res, {
      flush() {
        if (isDeaf()) return;
        if (passes()) Reflect.apply(flush, res, []);
        else if (held) hold("flush", []);
      },
    });

  res.end = (...args: unknown[]): ServerResponse => {
    if (isDeaf()) return res;
    if (passing || (ended && held === undefined)) return Reflect.apply(own.end, res, args);
    hold("end", args);
    ended = true;
    pretend("writableEnded", true);
    return res;
  };

  const guarded =
    <A extends unknown[], R>(original: (...args: A) => R) =>
    (...args: A): R => {
      if (held && !passing) throw headersWereSent();
      return Reflect.apply(original, res, args);
    };
  res.setHeader = guarded(setHeader);
  res.appendHeader = guarded(appendHeader);
  res.removeHeader = guarded(removeHeader);
}

/** What Node throws. */
const headersWereSent = (): Error =>
  Object.assign(new Error("Cannot set headers after they are sent to the client"), {
    code: "ERR_HTTP_HEADERS_SENT",
  });
