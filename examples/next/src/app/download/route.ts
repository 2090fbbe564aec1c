import { setImmediate } from "node:timers/promises";
import { withSession } from "@sessions/adapter-fetch";
import { cart, sessions } from "../../session.ts";

export const GET = (request: Request) =>
  withSession(sessions, request, (session) => {
    const store = session.store(cart);
    const items = store.get("items") ?? [];
    const lines = new ReadableStream<string>({
      async start(controller) {
        for (const item of items) {
          controller.enqueue(`${item}\n`);
          await setImmediate();
        }
        // This late write is committed before the client has the end of the file.
        if (items.length > 0) store.set("downloaded", items.length);
        controller.close();
      },
    });
    return new Response(lines.pipeThrough(new TextEncoderStream()), {
      headers: {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Disposition": "attachment; filename=cart.txt",
      },
    });
  });
