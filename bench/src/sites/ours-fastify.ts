import { sessionPlugin } from "@sessions/adapter-fastify";
import createFastify from "fastify";
import { closeManager, openManager, visitOf } from "./our-sessions.ts";
import { answer, type OpenSite } from "./routes.ts";

export const open: OpenSite = async ({ keeping, url }) => {
  const sessions = await openManager(keeping, url);
  const app = createFastify();
  await app.register(sessionPlugin, { sessions });
  app.all("/*", (request) => answer(request.url, visitOf(request.session)));
  await app.ready();
  return { server: app.server, close: () => closeManager(sessions) };
};
