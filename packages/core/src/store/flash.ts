import { randomBytes } from "node:crypto";
import { checkKey } from "../record/field-names.ts";
import type { Store } from "./store.ts";

/** The store of every `session.flash()`. */
export const FLASH = "flash";

/** The length of the time and number at the start of a key, which put the messages in order. */
const ORDER = 13;
/** The length of what stands before a message's name in its key. */
const BEFORE_NAME = ORDER + 8;

let count = 0;

/** A message is an entry of its own, so that requests that overlap add and read messages and lose none. */
export function addMessage(
  store: Store<Record<string, unknown>>,
  name: string,
  value: unknown,
  at: number,
): void {
  checkKey(FLASH, name);
  count = (count + 1) % 36 ** 4;
  const order = at.toString(36).padStart(9, "0") + count.toString(36).padStart(4, "0");
  store.set(order + randomBytes(4).toString("hex") + name, value);
}

export function takeMessages(store: Store<Record<string, unknown>>, name: string): unknown[] {
  checkKey(FLASH, name);
  const keys = [...store.keys()].filter((key) => key.slice(BEFORE_NAME) === name);
  return keys.sort().map((key) => store.take(key));
}
