import { type LoaderFunctionArgs, Outlet, Scripts } from "react-router";
import { meet } from "./meeting.server.ts";
import { getSession, sessionMiddleware } from "./sessions.server.ts";

export const middleware = [sessionMiddleware];

/** Writes with `?write`, and waits before that with `?meet`. */
export async function loader({ request }: LoaderFunctionArgs) {
  const session = await getSession(request.headers.get("Cookie"));
  const { searchParams } = new URL(request.url);
  if (searchParams.has("meet") && request.method === "GET") await meet();
  if (searchParams.has("write")) session.set("root", (session.get("root") ?? 0) + 1);
  return null;
}

export default function Root() {
  return (
    <html lang="en">
      <head>
        <title>Storage</title>
      </head>
      <body>
        <Outlet />
        <Scripts />
      </body>
    </html>
  );
}
