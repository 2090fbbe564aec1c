import { withSession } from "@sessions/adapter-fetch";
import { redirect } from "next/navigation";
import { cart, sessions } from "../../../../src/session.ts";

/** Right with `?returned`. Wrong without it, because redirect() throws something that is no response. */
export const POST = (request: Request) =>
  withSession(sessions, request, (session) => {
    session.store(cart).set("items", ["tea"]);
    const { searchParams } = new URL(request.url);
    return searchParams.has("returned")
      ? new Response(null, { status: 303, headers: { Location: "/login" } })
      : redirect("/login");
  });
