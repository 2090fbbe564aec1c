import { withSession } from "@sessions/adapter-fetch";
import { Links, Meta, Outlet, Scripts } from "react-router";
import type { Route } from "./+types/root";
import { sessionContext, sessions } from "./sessions.server.ts";

// Around everything: pages, actions, resource routes, and what the client's router asks for (`.data`).
export const middleware: Route.MiddlewareFunction[] = [
  ({ request, context }, next) =>
    withSession(sessions, request, (session) => {
      context.set(sessionContext, session);
      return next();
    }),
];

export default function Root() {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Shop</title>
        <Meta />
        <Links />
      </head>
      <body>
        <Outlet />
        <Scripts />
      </body>
    </html>
  );
}
