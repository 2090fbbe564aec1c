import type { AddressInfo } from "node:net";
import process from "node:process";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { bodyParser } from "@koa/bodyparser";
import Router from "@koa/router";
import { isCrossSiteWrite, sessionMiddleware } from "@sessions/adapter-koa";
import { createSessionManager, defineStore, driverFromUrl, type Store } from "@sessions/core";
import Koa from "koa";
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

/** Returns a field's text, or `undefined` if it is empty, too long, or no text. */
function written(body: unknown, field: string): string | undefined {
  const value = new Map<string, unknown>(Object.entries(body ?? {})).get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

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

const router = new Router();

router.get("/", (ctx) => {
  const store = ctx.session.store(cart);
  ctx.body = page({
    user: ctx.session.principal,
    messages: ctx.session.flash("message"),
    items: store.get("items") ?? [],
    downloaded: store.get("downloaded"),
  });
});

router.post("/login", (ctx) => {
  const name = written(ctx.request.body, "name");
  if (name) {
    ctx.session.login(name); // a new id and cookie; the cart is kept
    ctx.session.flash("message", `Welcome, ${name}.`);
  }
  ctx.status = 303;
  ctx.redirect("/"); // sent after all of that is stored
});

router.post("/logout", async (ctx) => {
  await ctx.session.logout();
  ctx.status = 303;
  ctx.redirect("/");
});

router.post("/cart", (ctx) => {
  const item = written(ctx.request.body, "item");
  // Runs again if another request wrote in between, so no item is lost.
  if (item) ctx.session.store(cart).update("items", (items = []) => [...items, item]);
  ctx.status = 303;
  ctx.redirect("/");
});

router.get("/cart.txt", (ctx) => {
  ctx.attachment("cart.txt");
  ctx.body = Readable.from(lines(ctx.session.store(cart)));
});

const app = new Koa();
// SameSite does not stop another site's form from logging the visitor in as somebody else.
app.use((ctx, next) => {
  if (isCrossSiteWrite(ctx)) ctx.throw(403);
  return next();
});
app.use(sessionMiddleware(sessions));
app.use(bodyParser());
app.use(router.routes());
app.use(router.allowedMethods());

const server = app.listen(Number(process.env["PORT"] || 3000), "127.0.0.1", () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
});

function stop(): void {
  server.close(() => sessions.close());
  // Browsers keep unused connections open.
  setTimeout(() => server.closeAllConnections(), 2000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
