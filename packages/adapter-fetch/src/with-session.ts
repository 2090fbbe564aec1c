import type { Session, SessionManager } from "@sessions/core";
import {
  checkOptions,
  dropLogin,
  keepFromCaches,
  mayWriteMore,
  openOptionsOf,
  type ResponseHeaders,
  reportsError,
  varyByCookie,
  warnOfDroppedLogin,
  wasRead,
} from "@sessions/core/adapter-tools";

/** Options of `withSession`. */
export interface WithSessionOptions {
  /** Whether this request keeps the session alive; `() => false` for polling. @default () => true */
  touch?: ((request: Request) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a response whose handler looked at the session. @default true */
  vary?: boolean | undefined;
}

/**
 * Opens the request's session, runs the handler with it, and returns the handler's response once the session is
 * committed, with its cookie if there is one to send. What is written while the body is on its way is committed before
 * the body ends; if that fails, the body ends with the error.
 *
 * A response that is thrown, as routers do to redirect, is committed like one that is returned, and thrown again. Where
 * anything else is thrown, what was staged is discarded, because no response could carry a new cookie: a handler that
 * wants it kept returns its error page, and what a framework catches inside (Hono, SvelteKit) it returns.
 *
 * A response with status 400 or more drops what was staged from the first `login()` or `rotate()` on that no commit has
 * stored, and keeps what was staged before.
 *
 * Rejects with what `SessionManager.open` and `Session.commit` reject with, with what the handler throws, and with a
 * TypeError for a response that cannot be sent: its body was read or is locked, or it is `Response.error()`.
 */
export async function withSession(
  sessions: SessionManager,
  request: Request,
  handler: (session: Session) => Response | Promise<Response>,
  options: WithSessionOptions = {},
): Promise<Response> {
  if (typeof sessions?.open !== "function")
    throw new TypeError("withSession() needs what createSessionManager() returns");
  checkOptions("withSession", options, ["touch", "vary"]);
  const { touch = () => true, vary = true } = options;
  const session = await sessions.open(
    request.headers.get("Cookie"),
    openOptionsOf(sessions, {
      method: request.method,
      header: (name) => request.headers.get(name) ?? undefined,
      https: request.url.startsWith("https:"),
      touch: touch(request),
    }),
  );
  let response: Response;
  try {
    response = await handler(session);
  } catch (error) {
    throw isResponse(error) ? await committed(session, request, error, vary) : error;
  }
  return committed(session, request, response, vary);
}

// By its tag: servers put a class of their own in the place of the runtime's, and both are thrown.
const isResponse = (value: unknown): value is Response =>
  Object.prototype.toString.call(value) === "[object Response]";

// Asked before the commit: after it the cookie would be lost, and an old session ended for a new one without any.
function checkSendable({ status, bodyUsed, body }: Response): void {
  let fault: string | undefined;
  if (status === 0) fault = "it is an error, as Response.error() is, and has no status";
  else if (bodyUsed) fault = "its body was read";
  else if (body?.locked) fault = "its body is locked by a reader";
  if (fault !== undefined) throw new TypeError(`withSession() cannot send the handler's response: ${fault}`);
}

const headersOf = (headers: Headers): ResponseHeaders => ({
  get: (name) => headers.get(name) ?? undefined,
  set: (name, value) => headers.set(name, value),
  delete: (name) => headers.delete(name),
  names: () => headers.keys(),
});

async function committed(
  session: Session,
  request: Request,
  response: Response,
  vary: boolean,
): Promise<Response> {
  checkSendable(response);
  const dependsOnCookie = vary && wasRead(session);
  if (reportsError(response.status) && dropLogin(session)) warnOfDroppedLogin(response.status);
  const result = await seal(session, response);
  const { setCookie } = result;
  // Nobody reads the body of a response to HEAD, so that it would never end.
  const body =
    response.body && request.method !== "HEAD" && mayWriteMore(session, result)
      ? committing(session, response.body, response.headers)
      : response.body;
  if (body === response.body && setCookie === undefined && !dependsOnCookie) return response;
  // A copy: headers may be immutable, and a response without a body may serve many requests.
  const copy = new Response(body, response);
  const headers = headersOf(copy.headers);
  if (dependsOnCookie) varyByCookie(headers);
  if (setCookie !== undefined) {
    copy.headers.append("Set-Cookie", setCookie);
    keepFromCaches(headers);
  }
  return copy;
}

async function seal(session: Session, { body }: Response): ReturnType<Session["commit"]> {
  try {
    return await session.commit({ seal: true });
  } catch (error) {
    // Stop producing the body. Ignore an error of cancel(): the one to report is the commit's.
    body?.cancel(error).catch(() => undefined);
    throw error;
  }
}

/**
 * Passes a body through, and ends it when what was written meanwhile is committed. No transform stream does it, for
 * Workers does not tell what is behind one of a client that went away.
 */
function committing(
  session: Session,
  body: ReadableStream<Uint8Array>,
  headers: Headers,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  function failed(error: unknown): never {
    // As in `seal`.
    reader.cancel(error).catch(() => undefined);
    throw error;
  }
  // Bytes that are still to come, where a header says how many there are.
  let remaining = Number(headers.get("Content-Length") ?? Number.POSITIVE_INFINITY);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        remaining -= value?.byteLength ?? 0;
        // A client that has as many bytes as it was told of has the whole response.
        if (done || remaining <= 0) await session.commit().catch(failed);
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
