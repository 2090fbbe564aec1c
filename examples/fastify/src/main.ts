import process from "node:process";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import formbody from "@fastify/formbody";
import { isCrossSiteWrite, sessionPlugin } from "@sessions/adapter-fastify";
import { createSessionManager, defineStore, driverFromUrl, type Store } from "@sessions/core";
import createFastify from "fastify";
import { page } from "./page.ts";

interface Cart {
  items: string[];
  downloaded: number;
}
const cart = defineStore<Cart>("cart");

const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup(); // makes a backend's tables; does nothing for memory
sessions.startSweeping({ every: "10m" });

const app = createFastify();
// SameSite does not stop another site's form from logging the visitor in as somebody else.
app.addHook("onRequest", async (request, reply) => {
  if (isCrossSiteWrite(request)) return reply.code(403).send("Forbidden");
});
app.register(sessionPlugin, { sessions });
app.register(formbody);

app.get("/", async ({ session }, reply) => {
  const store = session.store(cart);
  reply.type("text/html; charset=utf-8");
  return page({
    user: session.principal,
    messages: session.flash("message"),
    items: store.get("items") ?? [],
    downloaded: store.get("downloaded"),
  });
});

/** Returns a field's text, or `undefined` if it is empty, too long, or no text. */
function written(body: unknown, field: string): string | undefined {
  const value = new Map<string, unknown>(Object.entries(body ?? {})).get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

app.post("/login", async ({ session, body }, reply) => {
  const name = written(body, "name");
  if (name) {
    session.login(name); // a new id and cookie; the cart is kept
    session.flash("message", `Welcome, ${name}.`);
  }
  return reply.redirect("/", 303); // sent after all of that is stored
});

app.post("/logout", async ({ session }, reply) => {
  await session.logout();
  return reply.redirect("/", 303);
});

app.post("/cart", async ({ session, body }, reply) => {
  const item = written(body, "item");
  // Runs again if another request wrote in between, so no item is lost.
  if (item) session.store(cart).update("items", (items = []) => [...items, item]);
  return reply.redirect("/", 303);
});

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

app.get("/cart.txt", async ({ session }, reply) => {
  reply.type("text/plain; charset=utf-8").header("content-disposition", 'attachment; filename="cart.txt"');
  return reply.send(Readable.from(lines(session.store(cart))));
});

app.addHook("onClose", () => sessions.close());
const address = await app.listen({ port: Number(process.env["PORT"] || 3000), host: "127.0.0.1" });
console.log(address.replace("127.0.0.1", "localhost"));

async function stop(): Promise<void> {
  // Browsers keep unused connections open.
  setTimeout(() => app.server.closeAllConnections(), 2000).unref();
  await app.close();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
