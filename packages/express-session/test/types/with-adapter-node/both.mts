// A program with our own middleware declares `req.session` of core, and may use this package beside it.
import { sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager, type Session } from "@sessions/core";
import session, { adoptExpressSession, type StoreLike, sessionOf } from "@sessions/express-session";
import express from "express";

declare const store: StoreLike;

const adopt = adoptExpressSession({
  store,
  secret: "secret",
  map: (old: { user?: string }, one) => one.login(old.user ?? ""),
});
const app = express();
app.use(sessionMiddleware(createSessionManager(), { adopt }));
app.use("/old", session({ secret: "secret" }));
app.get("/", (req, res) => {
  const one: Session = req.session;
  res.json([one.id, sessionOf(req).id]);
});
