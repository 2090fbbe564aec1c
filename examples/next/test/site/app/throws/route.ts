import { withSession } from "@sessions/adapter-fetch";
import { cart, sessions } from "../../../../src/session.ts";

export const POST = (request: Request) =>
  withSession(sessions, request, (session) => {
    session.store(cart).set("items", ["tea"]);
    throw new Error("the handler failed");
  });
