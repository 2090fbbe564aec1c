import { defineStore, type Session, type StoreDefinition } from "@sessions/core";

export const cart: StoreDefinition<{ items: string[] }> = defineStore<{ items: string[] }>("cart");

/** Returns the text of a form or message, or `undefined` if it is empty, too long, or no text. */
export function written(from: unknown, field: string): string | undefined {
  const value = new Map<string, unknown>(Object.entries(from ?? {})).get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

/** Puts an item from a form or message into the cart, and ignores anything else. */
export function add(session: Session, item: string | undefined): void {
  if (item !== undefined) session.store(cart).update("items", (items = []) => [...items, item]);
}
