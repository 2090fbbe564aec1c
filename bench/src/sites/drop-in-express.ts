import { createServer } from "node:http";
import session from "@sessions/express-session";
import express from "express";
import { closeManager, openDriver } from "./our-sessions.ts";
import { visitOf } from "./request-session.ts";
import { answer, type OpenSite } from "./routes.ts";

export const open: OpenSite = async ({ keeping, url }) => {
  const driver = await openDriver(keeping, url);
  const middleware = session({ driver, secret: "a secret of the bench's own", saveUninitialized: false });
  await middleware.sessions.setup();
  const app = express();
  app.use(middleware);
  app.use(async (req, res) => {
    res.send(await answer(req.url, visitOf(req)));
  });
  return { server: createServer(app), close: () => closeManager(middleware.sessions) };
};
