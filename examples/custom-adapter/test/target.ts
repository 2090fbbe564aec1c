import { Readable } from "node:stream";
import { server as createServer } from "@hapi/hapi";
import type { Target } from "@sessions/adapter-conformance";
import { hapiSessions } from "../src/index.ts";

/** What the kit tests: an application of hapi behind the adapter. */
export const target: Target = {
  name: "hapi",
  abilities: ["streams", "touch", "vary"],
  async start({ sessions, options, handler, onError }) {
    // By itself hapi sends `Cache-Control: no-cache` and `Vary: accept-encoding`; the kit looks for the adapter's own.
    const server = createServer({ host: "127.0.0.1", port: 0, compression: false, routes: { cache: false } });
    await server.register({ plugin: hapiSessions, options: { sessions, ...options } });
    server.route({
      method: "*",
      path: "/{path*}",
      async handler({ session, method, url }, h) {
        const {
          status = 200,
          headers = {},
          body,
          redirect,
        } = await handler({
          session,
          method: method.toUpperCase(),
          url: url.pathname + url.search,
        });
        const stream = typeof body === "object" ? Readable.from(body, { objectMode: false }) : body;
        const response =
          redirect === undefined ? h.response(stream).code(status) : h.redirect(redirect).code(303);
        for (const [name, value] of Object.entries(headers))
          for (const one of [value].flat()) response.header(name, one, { append: name === "Set-Cookie" });
        return response;
      },
    });
    server.ext("onPreResponse", ({ response }, h) => {
      if ("isBoom" in response) onError(response);
      return h.continue;
    });
    await server.start();
    return { url: server.info.uri, close: () => server.stop({ timeout: 0 }) };
  },
};
