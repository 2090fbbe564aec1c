import { getRequestListener } from "@hono/node-server";
import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { Reply } from "../kit.ts";
import { listen } from "../node-server.ts";

/** Sends a reply by the means of Hono. */
export function reply(c: Context, { status = 200, headers = {}, body, redirect }: Reply): Response {
  if (redirect !== undefined) return c.redirect(redirect, 303);
  // By the context, since a Response of one's own lacks the headers that were set before.
  for (const [name, values] of Object.entries(headers))
    for (const value of [values].flat()) c.header(name, value, { append: name === "Set-Cookie" });
  return c.newResponse(
    typeof body === "object" ? ReadableStream.from(body) : (body ?? null),
    status as StatusCode,
  );
}

export const pathOf = (c: Context): string => {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
};

/** Serves on Node, as the README of @hono/node-server does. */
export const serve = (app: {
  fetch(request: Request): Response | Promise<Response>;
}): ReturnType<typeof listen> => listen(getRequestListener((request) => app.fetch(request)));
