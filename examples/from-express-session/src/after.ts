import process from "node:process";
import { sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager, defineStore } from "@sessions/core";
import { adoptExpressSession, fromExpressSessionStore } from "@sessions/express-session";
import express from "express";
import { FileStore } from "./file-store.ts";
import { page, written } from "./page.ts";
import { folder, port, run, secret } from "./settings.ts";

const cart = defineStore<{ items: string[] }>("cart");

// In your own site use a real driver here, such as `redisDriver({ client })`.
const sessions = createSessionManager({ driver: fromExpressSessionStore(new FileStore(`${folder}/new`)) });

// Only for the time of the move. After it, remove this, FileStore and express-session.
const adopt = adoptExpressSession({
  store: new FileStore(`${folder}/old`),
  secret,
  map(old: { user?: string; cart?: string[] }, session) {
    if (old.user !== undefined) session.login(old.user);
    if (old.cart) session.store(cart).set("items", old.cart);
  },
});

const app = express();
app.use(sessionMiddleware(sessions, { adopt: process.env["ADOPT"] === "no" ? undefined : adopt }));
app.use(express.urlencoded({ extended: false }));

app.get("/", ({ session }, res) => {
  res.send(page(session.principal, session.store(cart).get("items") ?? []));
});

app.post("/login", ({ session, body }, res) => {
  const user = written(body, "name");
  if (user) session.login(user); // a new id and cookie; the cart is kept
  res.redirect(303, "/");
});

app.post("/cart", ({ session, body }, res) => {
  const item = written(body, "item");
  // Runs again if another request wrote in between, so no item is lost.
  if (item) session.store(cart).update("items", (items = []) => [...items, item]);
  res.redirect(303, "/");
});

app.post("/logout", async ({ session }, res) => {
  await session.logout();
  res.redirect(303, "/");
});

const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  run(server);
});
