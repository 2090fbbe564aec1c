import { memoryDriver } from "@sessions/core/memory";
import session, { type SessionMiddleware } from "@sessions/express-session";
import { ensureLoggedIn } from "connect-ensure-login";
import express, { type RequestHandler } from "express";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import { describe, expect, it } from "vitest";
import { gate, listen, Visitor } from "./support.ts";

declare module "express-session" {
  interface SessionData {
    cart: string[];
    messages: string[];
    seen: string;
    returnTo: string;
  }
}

declare global {
  namespace Express {
    interface User {
      id: string;
      name: string;
    }
  }
}

const users: readonly Express.User[] = [
  { id: "1", name: "alice" },
  { id: "2", name: "bob" },
];

/** A site as the README of Passport shows one: passwords, a guest's cart, and pages for users. */
async function site(
  options: passport.AuthenticateOptions = {},
): Promise<{ url: string; middleware: SessionMiddleware; slow: ReturnType<typeof gate> }> {
  const auth = new passport.Passport();
  auth.use(
    new LocalStrategy((username, password, done) => {
      const user = users.find(({ name }) => name === username);
      if (!user || password !== "secret") done(null, false, { message: "Incorrect username or password." });
      else done(null, user);
    }),
  );
  auth.serializeUser((user, done) => done(null, user.id));
  auth.deserializeUser((id, done) => done(null, users.find((user) => user.id === id) ?? false));

  const app = express();
  const middleware = session({
    secret: "keyboard cat",
    resave: false,
    saveUninitialized: false,
    driver: memoryDriver(),
  });
  app.use(express.urlencoded({ extended: false }));
  app.use(middleware);
  app.use(auth.session());

  app.get("/", (req, res) => {
    res.json({ user: req.user?.name, cart: req.session.cart, seen: req.session.seen });
  });
  app.get("/login", (req, res) => {
    res.json(req.session.messages);
    delete req.session.messages;
  });
  app.post(
    "/login",
    auth.authenticate("local", {
      successReturnToOrRedirect: "/",
      failureRedirect: "/login",
      failureMessage: true,
      ...options,
    }),
  );
  app.post("/logout", (req, res, next) => {
    req.logout((error) => {
      if (error) next(error);
      else res.redirect("/");
    });
  });
  app.get("/settings", ensureLoggedIn("/login"), (req, res) => {
    res.send(`settings of ${req.user?.name}`);
  });
  app.post("/cart", (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.body.sku];
    res.redirect("/");
  });
  const slow = gate();
  const report: RequestHandler = async (req, res) => {
    await slow.pass();
    req.session.seen = "report";
    res.send("report");
  };
  app.get("/report", report);
  return { url: await listen(app), middleware, slow };
}

const alice = { username: "alice", password: "secret" };
const view = async (visitor: Visitor) => JSON.parse((await visitor.get("/")).body);

describe("passport and passport-local", () => {
  it("logs in under a new id, and out, and redirects find what was written before them", async () => {
    const { url } = await site();
    const visitor = new Visitor(url);
    await visitor.post("/cart", { sku: "tea" });
    const guest = visitor.cookie("connect.sid");
    expect(JSON.parse((await visitor.post("/login", alice)).body)).toEqual({ user: "alice" });
    expect(visitor.cookie("connect.sid")).not.toBe(guest);
    expect(await view(visitor)).toEqual({ user: "alice" });
    expect(JSON.parse((await visitor.post("/logout")).body)).toEqual({});
    expect(await view(visitor)).toEqual({});
  });

  it("refuses a wrong password, and keeps its message for the page after the redirect", async () => {
    const visitor = new Visitor((await site()).url);
    const page = await visitor.post("/login", { ...alice, password: "guess" });
    expect([page.url.pathname, page.body]).toEqual(["/login", '["Incorrect username or password."]']);
    expect(await view(visitor)).toEqual({});
  });

  it("keeps a guest's cart with keepSessionInfo", async () => {
    const visitor = new Visitor((await site({ keepSessionInfo: true })).url);
    await visitor.post("/cart", { sku: "tea" });
    await visitor.post("/login", alice);
    expect(await view(visitor)).toEqual({ user: "alice", cart: ["tea"] });
  });

  it("loses nothing of a quick request beside a slow one", async () => {
    const { url, slow } = await site();
    const visitor = new Visitor(url);
    await visitor.post("/login", alice);
    const report = visitor.get("/report");
    await slow.reached;
    await visitor.post("/cart", { sku: "tea" });
    slow.open();
    await report;
    expect(await view(visitor)).toEqual({ user: "alice", cart: ["tea"], seen: "report" });
  });

  it("stays logged out, also if a request of the same user ends later", async () => {
    const { url, slow } = await site();
    const visitor = new Visitor(url);
    await visitor.post("/login", alice);
    const thief = visitor.copy();
    const report = thief.get("/report");
    await slow.reached;
    await visitor.post("/logout");
    slow.open();
    expect((await report).status).toBe(200);
    expect(await view(thief)).toEqual({});
    expect(await view(visitor)).toEqual({});
  });

  it("keeps both logins of two clicks at once, whichever response arrives last", async () => {
    const { url } = await site();
    const first = new Visitor(url);
    await first.post("/cart", { sku: "tea" });
    const second = first.copy();
    await Promise.all([first.post("/login", alice), second.post("/login", alice)]);
    expect([await view(first), await view(second)]).toEqual([{ user: "alice" }, { user: "alice" }]);
  });

  it("stays logged in, also if a request of the guest ends later", async () => {
    const { url, slow } = await site();
    const visitor = new Visitor(url);
    await visitor.post("/cart", { sku: "tea" });
    const report = visitor.get("/report");
    await slow.reached;
    await visitor.post("/login", alice);
    slow.open();
    await report;
    expect(await view(visitor)).toEqual({ user: "alice" });
  });

  it("ends every session of a user, and no other's", async () => {
    const { url, middleware } = await site();
    const [laptop, phone, bob] = [new Visitor(url), new Visitor(url), new Visitor(url)];
    await laptop.post("/login", alice);
    await phone.post("/login", alice);
    await bob.post("/login", { username: "bob", password: "secret" });
    await middleware.sessions.destroyAll({ principal: "1" });
    expect([await view(laptop), await view(phone), await view(bob)]).toEqual([{}, {}, { user: "bob" }]);
  });
});

describe("connect-ensure-login", () => {
  it("leads a user back to the page that asked for the login", async () => {
    const visitor = new Visitor((await site({ keepSessionInfo: true })).url);
    expect((await visitor.get("/settings")).url.pathname).toBe("/login");
    const page = await visitor.post("/login", alice);
    expect([page.url.pathname, page.body]).toEqual(["/settings", "settings of alice"]);
  });
});
