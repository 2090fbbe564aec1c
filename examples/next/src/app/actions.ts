"use server";

import { redirect } from "next/navigation";
import { cart, changeSession, flash } from "../session.ts";

/** What a visitor wrote into a field; `undefined` if that is nothing, too long, or no text. */
function written(form: FormData, field: string): string | undefined {
  const value = form.get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

export async function logIn(form: FormData) {
  const name = written(form, "name");
  if (name)
    await changeSession((session) => {
      session.login(name); // a new id and cookie; what is in the cart comes along
      session.store(flash).set("message", `Welcome, ${name}.`);
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
      // Runs again where another request came between: no item is lost.
      session.store(cart).update("items", (items = []) => [...items, item]);
    });
  redirect("/");
}
