import type { APIRoute } from "astro";
import { written } from "../written.ts";

export const POST: APIRoute = async ({ locals: { session }, request, redirect }) => {
  const name = await written(request, "name");
  if (name) {
    session.login(name); // a new id and cookie; the cart is kept
    session.flash("message", `Welcome, ${name}.`);
  }
  return redirect("/", 303);
};
