import { createServer } from "node:http";
import express from "express";
import session from "express-session";
import { openStore } from "./peer-stores.ts";
import { visitOf } from "./request-session.ts";
import { answer, type OpenSite } from "./routes.ts";

export const open: OpenSite = async ({ keeping, url }) => {
  const { store, close } = await openStore(keeping, url);
  const app = express();
  app.use(session({ store, secret: "a secret of the bench's own", resave: false, saveUninitialized: false }));
  app.use(async (req, res) => {
    res.send(await answer(req.url, visitOf(req)));
  });
  return { server: createServer(app), close };
};
