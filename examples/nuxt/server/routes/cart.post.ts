import { defineEventHandler, sendRedirect } from "h3";
import { cart } from "../utils/session.ts";
import { written } from "../utils/written.ts";

export default defineEventHandler(async (event) => {
  const item = await written(event, "item");
  // Runs again if another request wrote in between, so no item is lost.
  if (item) event.context.session.store(cart).update("items", (items = []) => [...items, item]);
  return sendRedirect(event, "/", 303);
});
