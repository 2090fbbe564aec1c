import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { answer, noVisit, type OpenSite } from "./routes.ts";

export const open: OpenSite = async () => {
  const app = new Hono();
  app.all("/*", async (c) => {
    const { pathname, search } = new URL(c.req.url);
    return c.text(await answer(pathname + search, noVisit));
  });
  return { server: createServer(getRequestListener(app.fetch)), close: async () => {} };
};
