import { createServer } from "node:http";
import express from "express";
import { answer, noVisit, type OpenSite } from "./routes.ts";

export const open: OpenSite = async () => {
  const app = express();
  app.use(async (req, res) => {
    res.send(await answer(req.url, noVisit));
  });
  return { server: createServer(app), close: async () => {} };
};
