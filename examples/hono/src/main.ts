import process from "node:process";
import { serve } from "@hono/node-server";
import { withSession } from "@sessions/adapter-fetch";
import { createSessionManager, defineStore, driverFromUrl, type Session } from "@sessions/core";
import { Hono, type HonoRequest } from "hono";
import { csrf } from "hono/csrf";
import { streamText } from "hono/streaming";
import { page } from "./page.ts";

const cart = defineStore<{ items: string[]; downloaded: number }>("cart");
const flash = defineStore<{ message: string }>("flash");

const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup(); // a backend's tables; nothing in memory
sessions.startSweeping({ every: "10m" });

const app = new Hono<{ Variables: { session: Session } }>();

// SameSite does not keep another site's form from logging the visitor in, as somebody else.
app.use(csrf());
app.use(async (c, next) => {
  c.res = await withSession(sessions, c.req.raw, async (session) => {
    c.set("session", session);
    await next();
    const { res } = c;
    c.res = undefined; // or Hono lays its headers over ours
    return res;
  });
});

app.get("/", (c) => {
  const { session } = c.var;
  const store = session.store(cart);
  return c.html(
    page({
      user: session.principal,
      message: session.store(flash).take("message"),
      items: store.get("items") ?? [],
      downloaded: store.get("downloaded"),
    }),
  );
});

/** What a visitor wrote into a field; `undefined` if that is nothing, too long, or no text, or the request no form. */
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
    session.login(name); // a new id and cookie; what is in the cart comes along
    session.store(flash).set("message", `Welcome, ${name}.`);
  }
  return c.redirect("/", 303); // leaves once all of that is stored
});

app.post("/logout", async (c) => {
  await c.var.session.logout();
  return c.redirect("/", 303);
});

app.post("/cart", async (c) => {
  const item = await written(c.req, "item");
  // Runs again where another request came between: no item is lost.
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
    // Stored before the client has the last byte. Whoever has nothing in the cart may have no session, and the time for
    // a cookie is over.
    if (items.length > 0) store.set("downloaded", items.length);
  });
});

const port = Number(process.env["PORT"] || 3000);
const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`http://localhost:${port}`);
});

function stop(): void {
  server.close(() => sessions.close());
  // Browsers keep connections open that they never used.
  setTimeout(() => "closeAllConnections" in server && server.closeAllConnections(), 2000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
