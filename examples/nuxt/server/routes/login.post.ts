import { defineEventHandler, sendRedirect } from "h3";
import { written } from "../utils/written.ts";

export default defineEventHandler(async (event) => {
  const name = await written(event, "name");
  if (name) {
    const { session } = event.context;
    session.login(name); // a new id and cookie; the cart is kept
    session.flash("message", `Welcome, ${name}.`);
  }
  return sendRedirect(event, "/", 303);
});
