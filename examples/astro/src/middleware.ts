import { defineMiddleware } from "astro:middleware";
import { withSession } from "@sessions/adapter-fetch";
import { sessions } from "./session.ts";

export const onRequest = defineMiddleware((context, next) => {
  // A page that is built ahead has no visitor.
  if (context.isPrerendered) return next();
  return withSession(sessions, context.request, (session) => {
    context.locals.session = session;
    return next();
  });
});
