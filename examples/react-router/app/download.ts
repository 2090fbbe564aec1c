import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { createReadableStreamFromReadable } from "@react-router/node";
import type { Store } from "@sessions/core";
import type { Route } from "./+types/download";
import { type Cart, cart, sessionContext } from "./sessions.server.ts";

/** The cart, line by line. The write at the end is stored before the client has the last byte. */
async function* lines(store: Store<Cart>): AsyncGenerator<string> {
  const items = store.get("items") ?? [];
  for (const item of items) {
    yield `${item}\n`;
    await setImmediate();
  }
  // A visitor with an empty cart may have no session, and it is too late to send a cookie.
  if (items.length > 0) store.set("downloaded", items.length);
}

export function loader({ context }: Route.LoaderArgs): Response {
  const store = context.get(sessionContext).store(cart);
  return new Response(createReadableStreamFromReadable(Readable.from(lines(store))), {
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Disposition": 'attachment; filename="cart.txt"',
    },
  });
}
