import { setImmediate } from "node:timers/promises";
import type { Store } from "@sessions/core";
import { defineEventHandler, setResponseHeaders } from "h3";
import { cart } from "../utils/session.ts";

/** The cart, line by line. The write at the end is stored before the client has the last byte. */
async function* lines(store: Store<{ items: string[]; downloaded: number }>): AsyncGenerator<string> {
  const items = store.get("items") ?? [];
  for (const item of items) {
    yield `${item}\n`;
    await setImmediate();
  }
  // A visitor with an empty cart may have no session, and it is too late to send a cookie.
  if (items.length > 0) store.set("downloaded", items.length);
}

export default defineEventHandler((event) => {
  setResponseHeaders(event, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Disposition": "attachment; filename=cart.txt",
  });
  return ReadableStream.from(lines(event.context.session.store(cart))).pipeThrough(new TextEncoderStream());
});
