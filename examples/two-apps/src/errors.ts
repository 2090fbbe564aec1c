import { isSessionError } from "@sessions/core";
import type { ErrorRequestHandler, Request, RequestHandler, Response } from "express";
import { localPath } from "./guard.ts";
import { html } from "./html.ts";
import { sendPage, sendPlainPage } from "./page.ts";

export const notFound: RequestHandler = (req, res) => {
  res.status(404);
  sendPage(req, res, { title: "Not here", body: html`<p>There is no such page. It may have moved on.</p>` });
};

/** Down is not logged out: the page says so, the cookie stays, and the next try may work. */
function sendUnavailable(req: Request, res: Response): void {
  const again = req.method === "GET" ? localPath(req.originalUrl, "/") : "/";
  res.set("Retry-After", "5");
  sendPlainPage(res, 503, {
    title: "One moment, please",
    body: html`
<section class="card">
<p class="lead">We cannot reach the place where sessions are kept.</p>
<p>If you were signed in, you are still signed in, and nothing that you saved is lost. What you did just now may not
have been done: have a look before you repeat it.</p>
<p><a class="button primary" href="${again}">Try again</a></p>
</section>`,
  });
}

/** Errors that Express or a parser blames on the client. */
function clientStatus(error: unknown): number | undefined {
  const status: unknown = error instanceof Error ? Reflect.get(error, "status") : undefined;
  return typeof status === "number" && status >= 400 && status < 500 ? status : undefined;
}

/** Express recognises an error handler by its four parameters. */
export const showError: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (res.headersSent) return next(error);
  if (isSessionError(error, "ERR_SESSION_UNAVAILABLE")) return sendUnavailable(req, res);
  if (isSessionError(error, "ERR_SESSION_TOO_LARGE"))
    return sendPlainPage(res, 413, {
      title: "No more room",
      body: html`<p>Your session is full, so this was not saved. Discard a draft or two, and try again.</p>`,
    });
  const status = clientStatus(error);
  if (status === undefined) console.error(error);
  sendPlainPage(res, status ?? 500, {
    title: "That did not work",
    body: html`<p>${status ? "We could not make sense of this request." : "The fault is ours, and it is written down."}</p>
<p><a class="button" href="/">To the start</a></p>`,
  });
};
