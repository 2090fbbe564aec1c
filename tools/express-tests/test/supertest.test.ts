import { memoryDriver } from "@sessions/core/memory";
import session from "@sessions/express-session";
import express, { type Express } from "express";
import request from "supertest";
import { expect, it } from "vitest";

declare module "express-session" {
  interface SessionData {
    user: string;
    views: number;
  }
}

/** An application as a test imports it: it does not listen. */
function app(): Express {
  const app = express();
  app.use(express.json());
  app.use(
    session({ secret: "keyboard cat", resave: false, saveUninitialized: false, driver: memoryDriver() }),
  );
  app.post("/login", (req, res) => {
    req.session.user = req.body.user;
    res.redirect("/me");
  });
  app.get("/me", (req, res) => {
    if (req.session.user) res.json({ user: req.session.user });
    else res.sendStatus(401);
  });
  app.post("/logout", (req, res, next) => {
    req.session.destroy((error) => {
      if (error) next(error);
      else res.sendStatus(204);
    });
  });
  return app;
}

it("an agent stays logged in, and a request without one does not", async () => {
  const site = app();
  const agent = request.agent(site);
  await agent.post("/login").send({ user: "alice" }).redirects(1).expect(200, { user: "alice" });
  await agent.get("/me").expect(200, { user: "alice" });
  await request(site).get("/me").expect(401);
  await agent.post("/logout").expect(204);
  await agent.get("/me").expect(401);
});

it("two agents are two visitors, and a cookie can be handed on", async () => {
  const site = app();
  const [alice, bob] = [request.agent(site), request.agent(site)];
  const { headers } = await alice.post("/login").send({ user: "alice" }).expect(302);
  await bob.post("/login").send({ user: "bob" });
  await alice.get("/me").expect(200, { user: "alice" });
  await bob.get("/me").expect(200, { user: "bob" });
  const cookie = headers["set-cookie"] ?? "";
  expect(cookie).toEqual([expect.stringMatching(/^connect\.sid=s%3A/)]);
  await request(site).get("/me").set("Cookie", cookie).expect(200, { user: "alice" });
});
