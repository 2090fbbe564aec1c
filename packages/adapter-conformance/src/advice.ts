import type { Rule } from "./target.ts";

const ADVICE: Readonly<Record<string, string>> = {
  H1: `The response went out before the commit had ended. Await session.commit({ seal: true }) before the first byte of
    the head, and session.commit() before the last byte of the body.`,
  "H1.3": `A write of an overlapping request was lost. Open a session for each request, and commit that one; never keep
    a session, or what it held, for the next request.`,
  "H1.4": `The commit must not end with the client. Do not abort it, and do not skip it, when the connection closes; and
    treat a write to a closed response as no error.`,
  "H1.5": `The body ended before the writes made during it were stored. Hold its end back until session.commit() has
    resolved.`,
  "H1.6": `With a Content-Length the client has all as soon as the last byte arrives, and does not wait for the end.
    Count the bytes, and commit before those that complete the length.`,
  "H1.7": `After the handler's own commit there is still the adapter's: always commit at the head, for the cookie, and
    once more before the last byte.`,

  H2: `The response has a cookie too many or too few. Send exactly the setCookie that session.commit({ seal: true })
    returns, and nothing if it is undefined.`,
  "H2.2": `The application's Set-Cookie headers were lost. Append yours to them; setting the header replaces them.`,
  "H2.3": `The application's Set-Cookie headers were changed. Touch the response's headers only if commit() returned a
    setCookie.`,
  "H2.4": `Pass the whole Cookie header to sessions.open(), which tries the cookies one after the other. A parser of
    cookies keeps only the first or the last of a name.`,
  "H2.5": `Pass the whole Cookie header to sessions.open(), and set no limit of your own to its length.`,
  "H2.6": `Pass the Cookie header to sessions.open() as it is. The core decides which cookie is valid.`,
  "H2.7": `Send the setCookie that commit() returned as it is. Do not parse it, and do not make it again from your own options.`,

  H3: `Another middleware wraps res.writeHead to hear when the head goes out, and may write then. Send the head through
    the methods that you found on the response, commit again before the last byte, and let an error of the middleware
    reach the framework while an error page can still be sent.`,
  "H3.4": `An error that a middleware throws while the head goes out must reach the framework's error handling, with the
    response as it was before. Catch it around the call that sends the head.`,
  "H3.5": `A write that came too late throws ERR_SESSION_HEADERS_SENT inside the middleware, and so inside your call of
    writeHead. It is no fault of the response: send the head again, and warn.`,
  "H3.9": `An error that a middleware throws while the head goes out must reach the framework's error handling, with the
    response as it was before. Catch it around the call that tells middlewares of the head.`,
  "H3.10": `A write that came too late throws ERR_SESSION_HEADERS_SENT inside the middleware, and so inside your call of
    writeHead. It is no fault of the response: send the head again, and warn.`,

  H4: `An error response must not log anybody in. Call dropLogin(session) before the commit if reportsError(status), and
    commit what is left.`,
  "H4.6": `Let dropLogin() decide: it leaves alone what the handler has committed. Do not end the session of an error
    response.`,
  "H4.7": `A page with an error status is a response like any other. Commit for it, and send the cookie.`,
  "H4.8": `Either commit for the framework's error page and send its cookie, or do neither. A record without its cookie
    stays in the backend until it expires.`,
  "H4.9": `The old session was ended, and the new cookie did not go out. Call dropLogin(session) before the commit for an
    error page.`,
  "H4.10": `Hand the session itself to the application. A copy, or an object made from it, accepts properties that are
    never stored.`,
  "H4.11": `Call dropLogin(session) only if reportsError(status). A redirect is how most logins end.`,

  H5: `Call keepFromCaches(headers) if the response carries the session's cookie, and only then. It reads and changes the
    headers that go out, so call it after the handler has set its own.`,
  "H5.7": `Call keepFromCaches(headers) only if commit() returned a setCookie.`,
  "H5.8": `Call keepFromCaches(headers), and give it names() and delete() of the headers that really go out.`,
  "H5.9": `Call varyByCookie(headers) if wasRead(session), for every status, and also if there is nothing to commit.`,
  "H5.10": `Call varyByCookie(headers) only if wasRead(session). Do not read anything of the session yourself before that.`,
  "H5.11": `With vary: false do not call varyByCookie(headers); with vary: true do.`,

  H6: `Open the session with openOptionsOf(sessions, { method, header, https, touch }), and pass the real method and the
    headers Sec-Fetch-Site and Host. It finds out which requests come from another site.`,

  H7: `The response was changed. Pass on the handler's status, headers and body as they are, and add the session's
    headers to them.`,
  "H7.1": `A response without a body has a head, too: commit for it and send its cookie, but write no body.`,
  "H7.2": `A response without a body has a head, too: commit for it and send its cookie, but write no body.`,
  "H7.3": `A response to HEAD commits and has its cookie, but its body is never read. Do not wait for its end.`,
  "H7.4": `The whole body was collected first. Send the head once the commit has resolved, and each piece as it comes. Hold
    back only the end.`,
  "H7.5": `Pieces were lost, or their order changed. Queue what comes while the commit runs, and pass on the pressure of a
    slow client.`,
  "H7.6": `Commit with { seal: true } for the head, so that the session refuses what can no longer reach the client.
    The error belongs to the handler's call, and not to the response.`,
  "H7.7": `A body that failed was ended like a complete one. Destroy the connection or the stream, so that the client sees
    an error.`,
  "H7.8": `The client has gone, and the source of the body still runs. Destroy or cancel it when the response closes.`,
  "H7.9": `Headers of the handler were lost beside the cookie. Add the session's headers, and leave the others alone.`,
  "H7.10": `A response to HEAD has the headers of one to GET. Do not derive the length from the body, which is not sent.`,
  "H7.11": `The body was read faster than the client takes it. Return what write() returns, wait for "drain", or read the
    source only when the client asks for more.`,

  H8: `Open the session once for each request, and commit what it has staged. A commit with nothing staged costs no call,
    so the core alone decides when to write.`,

  H9: `Open the session with openOptionsOf(sessions, { method, header, https, touch }), and pass the headers
    Sec-Fetch-Site and Host. https says whether the socket is encrypted; do not read a proxy's headers yourself.`,
  "H9.3": `Send the setCookie of commit() as it is. Do not drop it because the socket is not encrypted.`,

  H10: `The backend's error must reach the framework's error handling, and nothing of the handler's response may go out:
    no status, no headers and no cookie. Never treat it as an empty session.`,
  "H10.1": `Let the error of sessions.open() reach the framework before the handler runs. A new session in its place would
    log the visitor out.`,
  "H10.3": `Destroy or cancel the handler's stream if the commit before it fails; nobody else will read it.`,
  "H10.4": `The error page was mixed with the response that it replaces. Take back the status, the headers, the length and
    the body before you hand the error on. Do not commit again for that page.`,
  "H10.7": `The commit failed after the head was sent, and the response was ended all the same. Destroy the connection, so
    that the client does not take a part for the whole.`,
  "H10.8": `The error that was thrown did not reach the framework's error handling, or another one did. Hand on the error
    itself: its status is 503, and its headers hold Retry-After.`,

  H11: `Once the response is over, call whenPending(session, () => "over"), and commit when it calls back. Call it again
    after each of these commits.`,
  "H11.7": `A client that disconnects ends the response, too. Do on "close" what you do on "finish".`,

  H12: `Use only what the manager and the session offer in public, and the functions of @sessions/core/adapter-tools.
    Ask whenPending(): if it returns false, the session cannot tell, so always commit.`,
  "H12.1": `A session was kept for the connection. Open one for each request, and keep it with the request.`,
  "H12.5": `Two requests got one session object. Open a session for each request, also if their cookies are the same.`,

  H13: `Send the setCookie of commit() exactly once, and decide nothing from the session's state yourself. The core knows
    whether the cookie is new, cleared or to be left alone.`,
  "H13.4": `A commit with the status "gone" is no error. Send the handler's response, without a cookie.`,
  "H13.5": `Only the login's response may set a cookie. Send none if commit() returned no setCookie.`,

  H14: `Every request opens its session with touch, and commits. Without the commit the expiry never moves.`,
  "H14.2": `Pass the result of the option as touch to openOptionsOf(). Both true and false must reach it.`,
};

/** The promises and clauses that have their own advice. */
export const advised: readonly string[] = Object.keys(ADVICE);

/**
 * What usually makes a clause fail, and what the author of the adapter should change. Without its own advice, the
 * promise's.
 */
export function advice(rule: Rule): string {
  const text = ADVICE[rule] ?? ADVICE[rule.split(".")[0] ?? rule];
  if (text === undefined) throw new Error(`there is no advice on ${rule}`);
  // In the source the texts are wrapped.
  return text.replace(/\s+/g, " ").trim();
}
