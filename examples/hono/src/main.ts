import process from "node:process";
import { serve } from "@hono/node-server";
import { withSession } from "@sessions/adapter-fetch";
import { createSessionManager, defineStore, driverFromUrl, type Session } from "@sessions/core";
import { Hono, type HonoRequest } from "hono";
import { csrf } from "hono/csrf";
import { streamText } from "hono/streaming";
import { page } from "./page.ts";

const cart = defineStore<{ items: string[]; downloaded: number }>("cart");

const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup(); // makes a backend's tables; does nothing for memory
sessions.startSweeping({ every: "10m" });

const app = new Hono<{ Variables: { session: Session } }>();

// SameSite does not stop another site's form from logging the visitor in as somebody else.
app.use(csrf());
app.use(async (c, next) => {
  c.res = await withSession(sessions, c.req.raw, async (session) => {
    c.set("session", session);
    await next();
    const { res } = c;
    c.res = undefined; // otherwise Hono merges its headers over ours
    return res;
  });
});

app.get("/", (c) => {
  const { session } = c.var;
  const store = session.store(cart);
  return c.html(
    page({
      user: session.principal,
      messages: session.flash("message"),
      items: store.get("items") ?? [],
      downloaded: store.get("downloaded"),
    }),
  );
});

/** Returns a field's text, or `undefined` if it is empty, too long, no text, or the request is no form. */
async function written(req: HonoRequest, field: string): Promise<string | undefined> {
  const form = await req.parseBody().catch(() => undefined);
  const value = form?.[field];
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

app.post("/login", async (c) => {
  const { session } = c.var;
  const name = await written(c.req, "name");
  if (name) {
    session.login(name); // a new id and cookie; the cart is kept
    session.flash("message", `Welcome, ${name}.`);
  }
  return c.redirect("/", 303); // sent after all of that is stored
});

app.post("/logout", async (c) => {
  await c.var.session.logout();
  return c.redirect("/", 303);
});

app.post("/cart", async (c) => {
  const item = await written(c.req, "item");
  // Runs again if another request wrote in between, so no item is lost.
  if (item) c.var.session.store(cart).update("items", (items = []) => [...items, item]);
  return c.redirect("/", 303);
});

app.get("/cart.txt", (c) => {
  const store = c.var.session.store(cart);
  const items = store.get("items") ?? [];
  c.header("Content-Disposition", 'attachment; filename="cart.txt"');
  return streamText(c, async (stream) => {
    for (const item of items) {
      await stream.writeln(item);
      await stream.sleep(0);
    }
    // Stored before the client has the last byte. A visitor with an empty cart may have no session, and it is too late to
    // send a cookie.
    if (items.length > 0) store.set("downloaded", items.length);
  });
});

const port = Number(process.env["PORT"] || 3000);
const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`http://localhost:${port}`);
});

function stop(): void {
  server.close(() => sessions.close());
  // Browsers keep unused connections open.
  setTimeout(() => "closeAllConnections" in server && server.closeAllConnections(), 2000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
