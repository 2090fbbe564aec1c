import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect, useLoaderData } from "react-router";
import { meet } from "./meeting.server.ts";
import { commitSession, destroySession, getSession } from "./sessions.server.ts";

/** As the root's loader, beside it. It shows what the session holds. */
export async function loader({ request }: LoaderFunctionArgs) {
  const session = await getSession(request.headers.get("Cookie"));
  const { searchParams } = new URL(request.url);
  if (searchParams.has("meet") && request.method === "GET") await meet();
  if (searchParams.has("write")) session.set("page", (session.get("page") ?? 0) + 1);
  return { message: session.get("message"), held: JSON.stringify(session.data) };
}

/** Written as for any storage of React Router. */
export async function action({ request }: ActionFunctionArgs) {
  const session = await getSession(request.headers.get("Cookie"));
  const form = await request.formData();
  if (new URL(request.url).searchParams.has("meet")) await meet();
  if (form.has("logout")) return redirect("/", { headers: { "Set-Cookie": await destroySession(session) } });
  const user = form.get("user");
  if (typeof user === "string") {
    session.set("userId", user);
    session.flash("message", `Welcome, ${user}.`);
  }
  const text = form.get("text");
  if (typeof text === "string") session.set("form", text);
  return redirect("/", { headers: { "Set-Cookie": await commitSession(session) } });
}

export default function Page() {
  const { message, held } = useLoaderData<typeof loader>();
  return (
    <>
      <p role="status">{message}</p>
      <pre>{held}</pre>
    </>
  );
}
