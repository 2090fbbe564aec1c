import { boomify, isBoom } from "@hapi/boom";
import type { Lifecycle, Plugin, ReqRef, Request, ResponseToolkit } from "@hapi/hapi";
import type { Session, SessionManager } from "@sessions/core";
import {
  checkManager,
  checkOption,
  checkOptions,
  dropLogin,
  keepFromCaches,
  openOptionsOf,
  type ResponseHeaders,
  reportsError,
  varyByCookie,
  warnOfDroppedLogin,
  wasRead,
} from "@sessions/core/adapter-tools";

declare module "@hapi/hapi" {
  interface Request<Refs extends ReqRef> {
    /** The session that `hapiSessions` opened. There is none where no route fits. */
    session: Session;
  }
}

/** Options of {@link hapiSessions}. */
export interface HapiSessionsOptions {
  /** The result of `createSessionManager()`. */
  readonly sessions: SessionManager;
  /** Whether a request keeps the session alive: `(request) => request.path !== "/poll"`. @default () => true */
  readonly touch?: ((request: Request) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a response whose handler looked at the session. @default true */
  readonly vary?: boolean | undefined;
}

type Response = Request["raw"]["res"];

/** The commits that responses still wait for. */
const commits = new WeakMap<Request, (status: number) => Promise<void>>();

/** Commits once for each request: after its handler, or before its error page. */
async function commit(request: Request, h: ResponseToolkit): Promise<Lifecycle.ReturnValue> {
  const { response } = request;
  const its = commits.get(request);
  commits.delete(request);
  await its?.(isBoom(response) ? response.output.statusCode : response.statusCode).catch(fail);
  return h.continue;
}

/** hapi takes status and headers from its own errors alone. The page shows no message: ours are for operators. */
function fail(error: unknown): never {
  const { status = 500, headers } = Object(error);
  const boom = boomify(error instanceof Error ? error : new Error(String(error)), { statusCode: status });
  Object.assign(boom.output.headers, headers);
  boom.output.payload.message = boom.output.payload.error;
  throw boom;
}

const headersOf = (res: Response): ResponseHeaders => ({
  get: (name) => [res.getHeader(name) ?? []].flat().join(", ") || undefined,
  set: (name, value) => void res.setHeader(name, value),
  delete: (name) => res.removeHeader(name),
  names: () => res.getHeaderNames(),
});

/** Commits again before the last byte, so that a client has all of the body only when all is stored. */
function holdLastByte(res: Response, session: Session): void {
  const { write, end } = res;
  let remaining: number | undefined;
  let queue = Promise.resolve();
  function afterCommit(send: () => unknown): void {
    queue = queue
      .then(() => session.commit())
      .then(() => void (res.destroyed || send()))
      .catch((error: Error) => void res.destroy(error));
  }
  Object.assign(res, {
    write(chunk: Uint8Array | string, ...more: unknown[]): boolean {
      remaining ??= Number(res.getHeader("Content-Length") ?? Number.POSITIVE_INFINITY);
      remaining -= Buffer.byteLength(chunk);
      const send = (): boolean => Reflect.apply(write, res, [chunk, ...more]);
      if (remaining > 0) return send();
      // A client that has all the bytes that Content-Length promised does not wait for the end.
      afterCommit(() => send() && res.emit("drain"));
      return false;
    },
    end(...last: unknown[]): Response {
      afterCommit(() => Reflect.apply(end, res, last));
      return res;
    },
  });
}

/**
 * Plugin for hapi 21. `request.session` is ready before authentication, and each response waits until its session is
 * committed. Errors of the backend reach `onPreResponse`.
 */
export const hapiSessions: Plugin<HapiSessionsOptions> = {
  name: "sessions",
  register(server, options) {
    checkOptions("hapiSessions", options, ["sessions", "touch", "vary"]);
    const { sessions, touch = () => true, vary = true } = options;
    checkManager("hapiSessions", sessions);
    checkOption(typeof touch === "function", "touch", "a function", touch);
    checkOption(typeof vary === "boolean", "vary", "true or false", vary);

    server.ext("onPreAuth", async (request, h) => {
      const { req, res } = request.raw;
      const facts = openOptionsOf(sessions, {
        method: req.method,
        header: (name) => [req.headers[name]].flat()[0],
        https: server.info.protocol === "https",
        touch: touch(request),
      });
      const session = await sessions.open(req.headers.cookie, facts).catch(fail);
      request.session = session;

      let setCookie: string | undefined;
      commits.set(request, async (status) => {
        if (reportsError(status) && dropLogin(session)) warnOfDroppedLogin(status);
        ({ setCookie } = await session.commit({ seal: true }));
        holdLastByte(res, session);
      });
      // The headers go to what is sent in the end, which another plugin may have put in the handler's place.
      const { writeHead } = res;
      Object.assign(res, {
        writeHead(...args: unknown[]): Response {
          const own = headersOf(res);
          if (vary && wasRead(session)) varyByCookie(own);
          if (setCookie !== undefined) {
            res.appendHeader("Set-Cookie", setCookie);
            keepFromCaches(own);
          }
          return Reflect.apply(writeHead, res, args);
        },
      });
      return h.continue;
    });
    server.ext("onPostHandler", commit);
    server.ext("onPreResponse", commit);
  },
};
