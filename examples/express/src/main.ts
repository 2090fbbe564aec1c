import type { AddressInfo } from "node:net";
import process from "node:process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { isCrossSiteWrite, sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager, defineStore, driverFromUrl, type Store } from "@sessions/core";
import express from "express";
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

const app = express();
// SameSite does not stop another site's form from logging the visitor in as somebody else.
app.use((req, res, next) => {
  if (isCrossSiteWrite(req)) res.sendStatus(403);
  else next();
});
app.use(sessionMiddleware(sessions));
app.use(express.urlencoded({ extended: false }));

app.get("/", ({ session }, res) => {
  const store = session.store(cart);
  res.send(
    page({
      user: session.principal,
      messages: session.flash("message"),
      items: store.get("items") ?? [],
      downloaded: store.get("downloaded"),
    }),
  );
});

/** Returns a field's text, or `undefined` if it is empty, too long, or no text. */
function written(body: unknown, field: string): string | undefined {
  const value = new Map<string, unknown>(Object.entries(body ?? {})).get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

app.post("/login", ({ session, body }, res) => {
  const name = written(body, "name");
  if (name) {
    session.login(name); // a new id and cookie; the cart is kept
    session.flash("message", `Welcome, ${name}.`);
  }
  res.redirect(303, "/"); // sent after all of that is stored
});

app.post("/logout", async ({ session }, res) => {
  await session.logout();
  res.redirect(303, "/");
});

app.post("/cart", ({ session, body }, res) => {
  const item = written(body, "item");
  // Runs again if another request wrote in between, so no item is lost.
  if (item) session.store(cart).update("items", (items = []) => [...items, item]);
  res.redirect(303, "/");
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

app.get("/cart.txt", async ({ session }, res) => {
  res.attachment("cart.txt");
  await pipeline(Readable.from(lines(session.store(cart))), res);
});

const server = app.listen(Number(process.env["PORT"] || 3000), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
});

function stop(): void {
  server.close(() => sessions.close());
  // Browsers keep unused connections open.
  setTimeout(() => server.closeAllConnections(), 2000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
