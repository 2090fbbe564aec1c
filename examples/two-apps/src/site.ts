import { sessionMiddleware } from "@sessions/adapter-node";
import type { SessionManager } from "@sessions/core";
import express, { type Express } from "express";
import { account } from "./account.ts";
import { notFound, showError } from "./errors.ts";
import { forum } from "./forum.ts";
import { refuseCrossOrigin, secureHeaders } from "./guard.ts";
import { home } from "./home.ts";
import { sessionStatus } from "./session-panel.ts";
import { type Pay, shop } from "./shop.ts";

/** The whole site, on any backend: two applications that know nothing of each other share one session. */
export function createSite(sessions: SessionManager, { pay }: { pay?: Pay } = {}): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(secureHeaders);
  app.get("/session.json", sessionStatus(sessions));

  app.use(refuseCrossOrigin);
  app.use(sessionMiddleware(sessions));
  app.use(express.urlencoded({ extended: false, limit: "64kb" }));

  app.get("/", home);
  app.use("/shop", shop(pay));
  app.use("/forum", forum());
  app.use("/account", account(sessions));

  app.use(notFound);
  app.use(showError);
  return app;
}
