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
const flash = defineStore<{ message: string }>("flash");

const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup(); // a backend's tables; nothing in memory
sessions.startSweeping({ every: "10m" });

/** What a visitor wrote into a field; `undefined` if that is nothing, too long, or no text. */
function written(body: unknown, field: string): string | undefined {
  const value = new Map<string, unknown>(Object.entries(body ?? {})).get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

/** The cart, line by line. What is written at the end is stored before the client has the last byte. */
async function* lines(store: Store<Cart>): AsyncGenerator<string> {
  const items = store.get("items") ?? [];
  for (const item of items) {
    yield `${item}\n`;
    await setImmediate();
  }
  // Whoever has nothing in the cart may have no session, and the time for a cookie is over.
  if (items.length > 0) store.set("downloaded", items.length);
}

const router = new Router();

router.get("/", (ctx) => {
  const store = ctx.session.store(cart);
  ctx.body = page({
    user: ctx.session.principal,
    message: ctx.session.store(flash).take("message"),
    items: store.get("items") ?? [],
    downloaded: store.get("downloaded"),
  });
});

router.post("/login", (ctx) => {
  const name = written(ctx.request.body, "name");
  if (name) {
    ctx.session.login(name); // a new id and cookie; what is in the cart comes along
    ctx.session.store(flash).set("message", `Welcome, ${name}.`);
  }
  ctx.status = 303;
  ctx.redirect("/"); // leaves once all of that is stored
});

router.post("/logout", async (ctx) => {
  await ctx.session.logout();
  ctx.status = 303;
  ctx.redirect("/");
});

router.post("/cart", (ctx) => {
  const item = written(ctx.request.body, "item");
  // Runs again where another request came between: no item is lost.
  if (item) ctx.session.store(cart).update("items", (items = []) => [...items, item]);
  ctx.status = 303;
  ctx.redirect("/");
});

router.get("/cart.txt", (ctx) => {
  ctx.attachment("cart.txt");
  ctx.body = Readable.from(lines(ctx.session.store(cart)));
});

const app = new Koa();
// SameSite does not keep another site's form from logging the visitor in, as somebody else.
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
  // Browsers keep connections open that they never used.
  setTimeout(() => server.closeAllConnections(), 2000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
