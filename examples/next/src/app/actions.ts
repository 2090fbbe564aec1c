"use server";

import { redirect } from "next/navigation";
import { cart, changeSession } from "../session.ts";

/** Returns a field's text, or `undefined` if it is empty, too long, or no text. */
function written(form: FormData, field: string): string | undefined {
  const value = form.get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

export async function logIn(form: FormData) {
  const name = written(form, "name");
  if (name)
    await changeSession((session) => {
      session.login(name); // a new id and cookie; the cart is kept
      session.flash("message", `Welcome, ${name}.`);
    });
  redirect("/");
}

export async function logOut() {
  await changeSession((session) => session.logout());
  redirect("/");
}

export async function add(form: FormData) {
  const item = written(form, "item");
  if (item)
    await changeSession((session) => {
      // Runs again if another request wrote in between, so no item is lost.
      session.store(cart).update("items", (items = []) => [...items, item]);
    });
  redirect("/");
}
