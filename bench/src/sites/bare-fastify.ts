import createFastify from "fastify";
import { answer, noVisit, type OpenSite } from "./routes.ts";

export const open: OpenSite = async () => {
  const app = createFastify();
  app.all("/*", (request) => answer(request.url, noVisit));
  await app.ready();
  return { server: app.server, close: async () => {} };
};
