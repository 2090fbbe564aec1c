import type { Session, SessionManager } from "@sessions/core";
import { addCookie, isCrossSite } from "./headers.ts";

/**
 * Opens the request's session, runs the handler with it, and answers the handler's response once the session is
 * committed, with its cookie if there is one to send. What is written while the body is on its way is committed before
 * the body ends; if that fails, the body ends with the error.
 *
 * A response that is thrown, as routers do to redirect, is committed like one that is returned, and thrown again. Where
 * anything else is thrown, what was staged is discarded, because no response could carry a new cookie: a handler that
 * wants it kept returns its error page, and what a framework catches inside (Hono, SvelteKit) it returns.
 *
 * Rejects with what `SessionManager.open` and `Session.commit` reject with, with what the handler throws, and with a
 * TypeError for a response that cannot be sent: its body was read or is locked, or it is `Response.error()`.
 */
export async function withSession(
  sessions: SessionManager,
  request: Request,
  handler: (session: Session) => Response | Promise<Response>,
): Promise<Response> {
  if (typeof sessions?.open !== "function")
    throw new TypeError("withSession() needs what createSessionManager() returns");
  const session = await sessions.open(request.headers.get("Cookie"), {
    crossSite: isCrossSite(sessions, request),
  });
  let response: Response;
  try {
    response = await handler(session);
  } catch (error) {
    throw isResponse(error) ? await committed(session, request, error) : error;
  }
  return committed(session, request, response);
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

async function committed(session: Session, request: Request, response: Response): Promise<Response> {
  checkSendable(response);
  const { status, setCookie } = await seal(session, response);
  // Nothing can be written to a session that ended, nor to one that the client has no cookie for. A new one has a record
  // where the handler committed it: its cookie is still to be sent.
  const more =
    status === "committed" || (status === "unchanged" && (!session.isNew || setCookie !== undefined));
  // Nobody reads the body of a response to HEAD, so that it would never end.
  const body =
    more && response.body && request.method !== "HEAD"
      ? committing(session, response.body, response.headers)
      : response.body;
  if (body === response.body && setCookie === undefined) return response;
  // A copy: headers may be immutable, and a response without a body may serve many requests.
  const copy = new Response(body, response);
  if (setCookie !== undefined) addCookie(copy.headers, setCookie);
  return copy;
}

async function seal(session: Session, { body }: Response): ReturnType<Session["commit"]> {
  try {
    return await session.commit({ seal: true });
  } catch (error) {
    // What produces it need not go on. What it says to that is not what failed.
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
