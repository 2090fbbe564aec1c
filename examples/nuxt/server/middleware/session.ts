import { openSession } from "@sessions/adapter-node";
import { defineEventHandler } from "h3";
import { sessions } from "../utils/session.ts";

/** For every page and route: their response waits until the session is stored. */
export default defineEventHandler(async (event) => {
  const { req, res } = event.node;
  event.context.session = await openSession(sessions, req, res);
});
