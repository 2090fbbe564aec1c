import type { Session, SessionManager } from "@sessions/core";
import {
  type Adopt,
  type Adopting,
  beginAdopting,
  checkManager,
  checkOption,
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

/**
 * Options of {@link withSession}.
 *
 * @example
 * import type { WithSessionOptions } from "@sessions/adapter-fetch";
 *
 * export const options: WithSessionOptions = {
 *   touch: (request) => !request.url.endsWith("/poll"), // polling does not keep a session alive
 * };
 */
export interface WithSessionOptions {
  /**
   * Takes over the sessions of another library, so that users stay logged in when a site moves:
   * `adoptExpressSession` of `@sessions/express-session`. Remove it once the old cookies have expired.
   * @default none
   */
  adopt?: Adopt | undefined;
  /** Whether this request keeps the session alive: `() => false` for polling. @default () => true */
  touch?: ((request: Request) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a response whose handler looked at the session. @default true */
  vary?: boolean | undefined;
}

/**
 * Opens the request's session, runs the handler with it, and commits. Then it returns the handler's response, with the
 * session's cookie if there is one to send. Writes made while the body is being read are committed before the body
 * ends. If that commit fails, the body ends with the error.
 *
 * A thrown `Response`, such as a router's redirect, is committed like a returned one, and thrown again. If the handler
 * throws anything else, everything staged is discarded, because no response could carry a new cookie. To keep it, catch
 * the error in the handler and return an error page. Frameworks such as Hono and SvelteKit do that.
 *
 * A response with a status of 400 or more drops everything staged from the first uncommitted `login()` or `rotate()`
 * on, and keeps what was staged before.
 *
 * @throws What `SessionManager.open` and `Session.commit` throw, and whatever the handler throws.
 * @throws TypeError if `sessions` is not a session manager, or if the response cannot be sent: its body was read or is
 *   locked, or it is `Response.error()`.
 * @throws SessionConfigError for an unknown option.
 *
 * @example
 * import { withSession } from "@sessions/adapter-fetch";
 * import { createSessionManager } from "@sessions/core";
 *
 * const sessions = createSessionManager();
 *
 * export const GET = (request: Request): Promise<Response> =>
 *   withSession(sessions, request, (session) => {
 *     const visits = session.store<{ count: number }>("visits");
 *     return new Response(`Visit ${visits.update("count", (n = 0) => n + 1)}`);
 *   });
 */
export async function withSession(
  sessions: SessionManager,
  request: Request,
  handler: (session: Session) => Response | Promise<Response>,
  options: WithSessionOptions = {},
): Promise<Response> {
  checkManager("withSession", sessions);
  checkOptions("withSession", options, ["adopt", "touch", "vary"]);
  const { adopt, touch = () => true, vary = true } = options;
  checkOption(["undefined", "function"].includes(typeof adopt), "withSession: adopt", "a function", adopt);
  const cookieHeader = request.headers.get("Cookie") ?? undefined;
  const adopted =
    adopt && cookieHeader !== undefined ? adoptFor(sessions, adopt, request, cookieHeader) : undefined;
  const opened = await sessions.open(
    cookieHeader,
    openOptionsOf(sessions, {
      method: request.method,
      header: (name) => request.headers.get(name) ?? undefined,
      https: request.url.startsWith("https:"),
      touch: touch(request),
    }),
  );
  const session = adopted ? await adopted.adoptInto(opened) : opened;
  try {
    return await respond({ session, request, vary, adopted }, handler);
  } catch (error) {
    // No response can carry the new cookie, so the visitor keeps the old session. The error of the handler counts.
    if (!isResponse(error)) await adopted?.undo().catch(() => undefined);
    throw error;
  }
}

async function respond(
  visit: Visit,
  handler: (session: Session) => Response | Promise<Response>,
): Promise<Response> {
  let response: Response;
  try {
    response = await handler(visit.session);
  } catch (error) {
    throw isResponse(error) ? await commitResponse(visit, error) : error;
  }
  return commitResponse(visit, response);
}

/** One request, its session, and what its response needs beside it. */
interface Visit {
  readonly session: Session;
  readonly request: Request;
  readonly vary: boolean;
  readonly adopted: Adopted | undefined;
}

interface Adopted extends Adopting {
  /** Called once the response has ended. */
  over(): void;
}

function adoptFor(sessions: SessionManager, adopt: Adopt, request: Request, cookieHeader: string): Adopted {
  let over = (): void => {};
  const adopting = beginAdopting(sessions, adopt, {
    cookieHeader,
    header: (name) => request.headers.get(name) ?? undefined,
    isGone: () => request.signal.aborted,
    whenOver(done) {
      over = done;
    },
  });
  return { ...adopting, over: () => over() };
}

// By its tag, because some servers replace the runtime's class, and responses of both classes are thrown.
const isResponse = (value: unknown): value is Response =>
  Object.prototype.toString.call(value) === "[object Response]";

// Checked before the commit. After it, a failure would lose the cookie of a session that has replaced the old one.
function checkSendable({ status, bodyUsed, body }: Response): void {
  let fault: string | undefined;
  if (status === 0) fault = "is Response.error(), which has no status";
  else if (bodyUsed) fault = "has a body that was already read";
  else if (body?.locked) fault = "has a body that is locked by a reader";
  if (fault !== undefined)
    throw new TypeError(`withSession: the handler's response ${fault}. Return a response that was not used`);
}

const headersOf = (headers: Headers): ResponseHeaders => ({
  get: (name) => headers.get(name) ?? undefined,
  set: (name, value) => headers.set(name, value),
  delete: (name) => headers.delete(name),
  names: () => headers.keys(),
});

/** Commits, and returns the response that may go out: the handler's, or a copy with the session's headers. */
async function commitResponse(visit: Visit, response: Response): Promise<Response> {
  const { session, request, vary, adopted } = visit;
  checkSendable(response);
  const dependsOnCookie = vary && wasRead(session);
  if (reportsError(response.status) && dropLogin(session)) warnOfDroppedLogin(response.status);
  const result = await seal(session, response);
  const { setCookie } = result;
  const setCookies = [...(adopted?.endOldCookie() ?? []), ...(setCookie === undefined ? [] : [setCookie])];
  const over = adopted?.over ?? (() => {});
  // The body of a response to HEAD is not read, so a wrapped one would never end.
  const isWrapped = request.method !== "HEAD" && mayWriteMore(session, result);
  const body =
    response.body && isWrapped
      ? committingBody(session, response.body, response.headers, over)
      : response.body;
  if (body === response.body) over();
  if (body === response.body && setCookies.length === 0 && !dependsOnCookie) return response;
  // A copy: headers may be immutable, and a response without a body may serve many requests.
  const copy = new Response(body, response);
  const headers = headersOf(copy.headers);
  if (dependsOnCookie) varyByCookie(headers);
  for (const cookie of setCookies) copy.headers.append("Set-Cookie", cookie);
  if (setCookies.length > 0) keepFromCaches(headers);
  return copy;
}

async function seal(session: Session, { body }: Response): ReturnType<Session["commit"]> {
  try {
    return await session.commit({ seal: true });
  } catch (error) {
    // Stop producing the body. Ignore errors of cancel(): the commit's error is the one to report.
    body?.cancel(error).catch(() => undefined);
    throw error;
  }
}

/**
 * Passes a body through, and commits before it ends. A TransformStream will not do: on Workers it does not cancel its
 * source when the client disconnects.
 */
function committingBody(
  session: Session,
  body: ReadableStream<Uint8Array>,
  headers: Headers,
  over: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  function fail(error: unknown): never {
    // As in `seal`.
    reader.cancel(error).catch(() => undefined);
    over();
    throw error;
  }
  // The bytes that are still to come, if a header says how many there are.
  let remaining = Number(headers.get("Content-Length") ?? Number.POSITIVE_INFINITY);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read().catch(fail);
        remaining -= value?.byteLength ?? 0;
        // A client that has all the bytes that Content-Length promised does not wait for the end.
        if (done || remaining <= 0) await session.commit().catch(fail);
        if (done) {
          over();
          controller.close();
        } else controller.enqueue(value);
      },
      cancel(reason) {
        over();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
