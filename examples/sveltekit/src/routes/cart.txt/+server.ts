import { setImmediate } from "node:timers/promises";
import type { Store } from "@sessions/core";
import { type Cart, cart } from "../../lib/server/sessions.ts";
import type { RequestHandler } from "./$types";

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

/** Returns a body that takes the next piece when the client wants it. */
function stream(pieces: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
    },
    { highWaterMark: 0 },
  );
}

export const GET: RequestHandler = ({ locals: { session } }) =>
  new Response(stream(lines(session.store(cart))), {
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Disposition": 'attachment; filename="cart.txt"',
    },
  });
