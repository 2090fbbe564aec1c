import { createServer } from "node:http";
import { memoryDriver } from "@sessions/core/memory";
import session from "@sessions/express-session";
import express from "express";
import oidc from "express-openid-connect";
import { expect, it } from "vitest";
import { provider } from "./provider.ts";
import { gate, listen, Visitor } from "./support.ts";

declare module "express-session" {
  interface SessionData {
    views: number;
    report: string;
  }
}

async function site() {
  const issuerBaseURL = await provider();
  const app = express();
  const baseURL = await listen(createServer(app));
  app.use(
    session({ secret: "keyboard cat", resave: false, saveUninitialized: false, driver: memoryDriver() }),
  );
  app.use(
    oidc.auth({
      authRequired: false,
      issuerBaseURL,
      baseURL,
      clientID: "shop",
      secret: "a long secret that is random in a real site",
      authorizationParams: { response_type: "code" },
      clientSecret: "secret of the shop",
    }),
  );
  app.get("/", (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.json({ user: req.oidc.user?.["sub"], views: req.session.views, report: req.session.report });
  });
  app.get("/profile", oidc.requiresAuth(), (req, res) => {
    res.send(`profile of ${req.oidc.user?.["sub"]}`);
  });
  const slow = gate();
  app.get("/report", async (req, res) => {
    await slow.pass();
    req.session.report = "made";
    res.end();
  });
  app.post("/forget", (req, res, next) => {
    req.session.destroy((error) => {
      if (error) next(error);
      else res.redirect("/");
    });
  });
  return { url: baseURL, slow };
}

const view = async (visitor: Visitor) => JSON.parse((await visitor.get("/")).body);

it("keeps both sessions beside each other, each with its own cookie", async () => {
  const { url } = await site();
  const visitor = new Visitor(url);
  expect(await view(visitor)).toEqual({ views: 1 });
  expect((await visitor.get("/profile")).body).toBe("profile of alice");
  expect(await view(visitor)).toEqual({ user: "alice", views: 2 });
  expect([visitor.cookie("connect.sid"), visitor.cookie("appSession")]).not.toContain(undefined);
});

it("ends one, and leaves the other", async () => {
  const { url } = await site();
  const visitor = new Visitor(url);
  await view(visitor);
  await visitor.get("/login");
  expect(JSON.parse((await visitor.post("/forget")).body)).toEqual({ user: "alice", views: 1 });
  expect(JSON.parse((await visitor.get("/logout")).body)).toEqual({ views: 2 });
});

it("loses nothing of overlapping requests during a login", async () => {
  const { url, slow } = await site();
  const visitor = new Visitor(url);
  await view(visitor);
  const report = visitor.get("/report");
  await slow.reached;
  expect(JSON.parse((await visitor.get("/login")).body)).toEqual({ user: "alice", views: 2 });
  slow.open();
  await report;
  expect(await view(visitor)).toEqual({ user: "alice", views: 3, report: "made" });
});
