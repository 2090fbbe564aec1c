import { Links, Meta, Outlet, Scripts } from "react-router";
import { sessionMiddleware } from "./sessions.server.ts";

export const middleware = [sessionMiddleware];

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
