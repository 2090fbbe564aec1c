import { withSession } from "@sessions/adapter-fetch";
import { cookies } from "next/headers";
import { NextResponse } from "next/server";
import { cart, sessions } from "../../../../src/session.ts";

export const POST = (request: Request) =>
  withSession(sessions, request, async (session) => {
    session.store(cart).set("items", ["tea"]);
    (await cookies()).set("theme", "dark");
    const response = new NextResponse("Written");
    response.cookies.set("seen", "yes");
    return response;
  });
