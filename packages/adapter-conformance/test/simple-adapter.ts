import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { type CommitResult, isSessionError, type Session, type SessionManager } from "@sessions/core";
import {
  dropLogin,
  keepFromCaches,
  openOptionsOf,
  type ResponseHeaders,
  type ResponseStage,
  reportsError,
  varyByCookie,
  wasRead,
  whenPending,
} from "@sessions/core/adapter-tools";
import type { AdapterOptions } from "../src/index.ts";

/** What the adapter does at each point of a request, for deliberate faults to replace: `{ ...sound, lastByte: ... }`. */
export interface Steps {
  open(sessions: SessionManager, req: IncomingMessage, touch: boolean): Promise<Session>;
  /** Tells middlewares that were mounted later that the head goes out. */
  tell(res: ServerResponse): unknown;
  /** Before the first commit, with the response's status. */
  status(session: Session, status: number): unknown;
  /** The commit that the head waits for. */
  seal(session: Session, res: ServerResponse): Promise<Pick<CommitResult, "setCookie">>;
  /** The headers of a response that the session may have changed. */
  vary(session: Session, headers: ResponseHeaders): void;
  cookie(setCookie: string, headers: ResponseHeaders, res: ServerResponse): void;
  /** Sends the head, by middlewares that were mounted earlier. */
  head(send: () => unknown): unknown;
  /** A commit failed before the head was sent: what was set for the response is taken back. */
  takeBack(res: ServerResponse, before: ReturnType<ServerResponse["getHeaders"]>): void;
  /** The commit that the last byte waits for. */
  lastByte(session: Session, res: ServerResponse): Promise<unknown>;
  /** An error after the head was sent. */
  cut(res: ServerResponse): unknown;
  /** A write after the response. */
  late(session: Session, res: ServerResponse): Promise<unknown>;
}

export const sound: Steps = {
  open: (sessions, req, touch) =>
    sessions.open(
      req.headers.cookie,
      openOptionsOf(sessions, {
        method: req.method,
        header: (name) => [req.headers[name]].flat()[0],
        https: "encrypted" in req.socket,
        touch,
      }),
    ),
  tell: (res) => res.writeHead(res.statusCode),
  status: (session, status) => reportsError(status) && dropLogin(session),
  seal: (session) => session.commit({ seal: true }),
  vary: (session, headers) => wasRead(session) && varyByCookie(headers),
  cookie(setCookie, headers, res) {
    res.appendHeader("Set-Cookie", setCookie);
    keepFromCaches(headers);
  },
  head(send) {
    try {
      send();
    } catch (error) {
      // A middleware beneath came too late with a write; that is no fault of the response.
      if (!isSessionError(error, "ERR_SESSION_HEADERS_SENT")) throw error;
      send();
    }
  },
  takeBack(res, before) {
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    for (const [name, value = ""] of Object.entries(before)) res.setHeader(name, value);
    res.statusCode = 200;
  },
  lastByte: (session) => session.commit(),
  cut: (res) => res.destroy(),
  late: (session) => session.commit(),
};

export const headersOf = (res: ServerResponse): ResponseHeaders => ({
  get: (name) => [res.getHeader(name)].flat().join(", ") || undefined,
  set: (name, value) => void res.setHeader(name, value),
  delete: (name) => res.removeHeader(name),
  names: () => res.getHeaderNames(),
});

export type Next = (error?: unknown) => void;
export type Visited = IncomingMessage & { session?: Session };
export type Middleware = (req: Visited, res: ServerResponse, next: Next) => void;

/** The smallest middleware for `node:http` that keeps every promise: it holds the head and the last byte back. */
export const simpleAdapter =
  (
    sessions: SessionManager,
    { touch = () => true, vary = true }: AdapterOptions,
    steps: Steps = sound,
  ): Middleware =>
  (req, res, next) => {
    steps.open(sessions, req, touch()).then((session) => {
      req.session = session;
      hold(res, session, next, vary ? steps : { ...steps, vary: () => undefined });
      next();
    }, next);
  };

function hold(res: ServerResponse, session: Session, next: Next, steps: Steps): void {
  const { writeHead, write, end } = res;
  const before = { ...res.getHeaders() };
  const sources: Readable[] = [];
  let stage: ResponseStage = "held";
  let isHeard = false;
  let isUncommitted = false;
  let remaining = Number.POSITIVE_INFINITY;
  let response = 1; // the second one is the error page
  let queue = Promise.resolve();

  /** Runs one job after the other. The jobs of a response that was taken back do not run. */
  function enqueue(job: () => Promise<unknown>): void {
    const its = response;
    queue = queue.then(() => (its === response ? job() : undefined)).then(() => undefined, fail);
  }
  function fail(error: unknown): void {
    if (stage !== "held") return void steps.cut(res);
    response++;
    for (const source of sources) source.unpipe(res);
    isHeard = false;
    steps.takeBack(res, before);
    next(error);
  }
  async function commit<T>(
    step: (session: Session, res: ServerResponse) => Promise<T>,
  ): Promise<T | undefined> {
    if (isUncommitted) return undefined;
    return step(session, res).catch((error: unknown) => {
      isUncommitted = true;
      throw error;
    });
  }
  async function sendHead(): Promise<void> {
    if (stage !== "held") return;
    // Other middlewares wrap it to hear that the head goes out.
    if (!isHeard) steps.tell(res);
    steps.status(session, res.statusCode);
    const result = await commit(steps.seal);
    const headers = headersOf(res);
    steps.vary(session, headers);
    if (result?.setCookie !== undefined) steps.cookie(result.setCookie, headers, res);
    steps.head(() => writeHead.call(res, res.statusCode));
    stage = "sent";
    remaining = Number(res.getHeader("Content-Length") ?? remaining);
  }
  const watch = (): boolean =>
    whenPending(session, () => {
      if (stage === "over") queueMicrotask(() => void steps.late(session, res).then(watch, () => undefined));
      return stage;
    });
  function over(): void {
    if (stage === "over") return;
    stage = "over";
    if (!isUncommitted) steps.late(session, res).then(watch, () => undefined);
    watch();
  }

  Object.assign(res, {
    writeHead(status: number, ...more: unknown[]) {
      isHeard = true;
      res.statusCode = status;
      for (const [name, value] of Object.entries(more.at(-1) ?? {})) res.setHeader(name, value);
      return res;
    },
    write(chunk: Uint8Array | string, ...more: unknown[]) {
      enqueue(async () => {
        await sendHead();
        remaining -= Buffer.byteLength(chunk);
        if (remaining <= 0) await commit(steps.lastByte);
        if (res.destroyed || Reflect.apply(write, res, [chunk, ...more])) res.emit("drain");
      });
      return false;
    },
    end(...args: unknown[]) {
      enqueue(async () => {
        await sendHead();
        await commit(steps.lastByte);
        if (!res.destroyed) Reflect.apply(end, res, args);
      });
      return res;
    },
  });
  res.on("pipe", (source: Readable) => sources.push(source));
  res.once("finish", over);
  res.once("close", over);
}
