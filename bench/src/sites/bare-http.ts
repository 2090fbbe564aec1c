import { createServer } from "node:http";
import { answer, noVisit, type OpenSite } from "./routes.ts";

export const open: OpenSite = async () => {
  const server = createServer(async (req, res) => {
    try {
      res.end(await answer(req.url ?? "", noVisit));
    } catch (error) {
      console.error(error);
      res.writeHead(500).end();
    }
  });
  return { server, close: async () => {} };
};
