import { isCrossSiteWrite } from "@sessions/adapter-node";
import { createError, defineEventHandler } from "h3";

/** Refuses another site's form, which could log the visitor in as somebody else. */
export default defineEventHandler(({ node: { req } }) => {
  if (isCrossSiteWrite(req)) throw createError({ statusCode: 403 });
});
