import { createServer } from "node:http";
import { openSession } from "@sessions/adapter-node";
import { closeManager, openManager, visitOf } from "./our-sessions.ts";
import { answer, type OpenSite } from "./routes.ts";

export const open: OpenSite = async ({ keeping, url }) => {
  const sessions = await openManager(keeping, url);
  const server = createServer(async (req, res) => {
    try {
      const session = await openSession(sessions, req, res);
      res.end(await answer(req.url ?? "", visitOf(session)));
    } catch (error) {
      console.error(error);
      res.writeHead(500).end();
    }
  });
  return { server, close: () => closeManager(sessions) };
};
