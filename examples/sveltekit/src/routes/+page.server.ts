import { redirect } from "@sveltejs/kit";
import { cart } from "../lib/server/sessions.ts";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = ({ locals: { session } }) => {
  const store = session.store(cart);
  return {
    user: session.principal,
    messages: session.flash("message"), // shown once
    items: store.get("items") ?? [],
    downloaded: store.get("downloaded"),
  };
};

/** Returns a field's text, or `undefined` if it is empty, too long, no text, or the request is no form. */
async function written(request: Request, field: string): Promise<string | undefined> {
  const form = await request.formData().catch(() => undefined);
  const value = form?.get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

export const actions: Actions = {
  async login({ request, locals: { session } }) {
    const name = await written(request, "name");
    if (name) {
      session.login(name); // a new id and cookie; the cart is kept
      session.flash("message", `Welcome, ${name}.`);
    }
    redirect(303, "/"); // sent after all of that is stored
  },

  async logout({ locals: { session } }) {
    await session.logout();
    redirect(303, "/");
  },

  async add({ request, locals: { session } }) {
    const item = await written(request, "item");
    // Runs again if another request wrote in between, so no item is lost.
    if (item) session.store(cart).update("items", (items = []) => [...items, item]);
    redirect(303, "/");
  },
};
