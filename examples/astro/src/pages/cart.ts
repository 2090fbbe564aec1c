import type { APIRoute } from "astro";
import { cart } from "../session.ts";
import { written } from "../written.ts";

export const POST: APIRoute = async ({ locals: { session }, request, redirect }) => {
  const item = await written(request, "item");
  // Runs again if another request wrote in between, so no item is lost.
  if (item) session.store(cart).update("items", (items = []) => [...items, item]);
  return redirect("/", 303);
};
