import { createServer } from "node:http";
import { sessionMiddleware } from "@sessions/adapter-node";
import express from "express";
import { closeManager, openManager, visitOf } from "./our-sessions.ts";
import { answer, type OpenSite } from "./routes.ts";

export const open: OpenSite = async ({ keeping, url }) => {
  const sessions = await openManager(keeping, url);
  const app = express();
  app.use(sessionMiddleware(sessions));
  app.use(async (req, res) => {
    res.send(await answer(req.url, visitOf(req.session)));
  });
  return { server: createServer(app), close: () => closeManager(sessions) };
};
