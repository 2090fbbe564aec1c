"use server";

import { redirect } from "next/navigation";
import { cart, changeSession, flash } from "../session.ts";

/** What a visitor typed; nothing where it is empty or too long. */
function text(form: FormData, field: string): string | undefined {
  const value = String(form.get(field) ?? "").trim();
  return value.length > 0 && value.length <= 40 ? value : undefined;
}

export async function logIn(form: FormData) {
  const name = text(form, "name");
  if (name)
    await changeSession((session) => {
      session.login(name);
      session.store(flash).set("message", `Welcome, ${name}.`);
    });
  redirect("/");
}

export async function logOut() {
  await changeSession((session) => session.logout());
  redirect("/");
}

export async function add(form: FormData) {
  const item = text(form, "item");
  if (item)
    await changeSession((session) => {
      session.store(cart).update("items", (items = []) => [...items, item]);
    });
  redirect("/");
}
