import { once } from "node:events";
import http2 from "node:http2";
import { type ServerType, serve } from "@hono/node-server";
import type { Application, Reply, Server } from "@sessions/http-cases";

/** What a server calls for each request. */
export type Fetch = (request: Request) => Response | Promise<Response>;

/** Starts a server on a free port; `createServer` is of HTTP/2 for that. */
export async function listen(fetch: Fetch, version: 1 | 2 = 1): Promise<Server> {
  const connections = new Set<{ destroy(): unknown }>();
  const server: ServerType = serve({
    fetch,
    port: 0,
    hostname: "127.0.0.1",
    ...(version === 2 && { createServer: http2.createServer }),
  });
  server.on("connection", (socket) => connections.add(socket));
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    close() {
      for (const connection of connections) connection.destroy();
      server.close();
    },
  };
}

/** Answers as handlers of `Request` and `Response` do. */
function responseOf({ status, headers = {}, body, redirect }: Reply, request: Request): Response {
  // Its headers are immutable.
  if (redirect !== undefined) return Response.redirect(new URL(redirect, request.url), 303);
  const list = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
  const stream = typeof body === "object" ? ReadableStream.from(body) : (body ?? null);
  return new Response(stream, { status: status ?? 200, headers: list });
}

/** Runs the handler for a request whose session is open. */
export const reply = async (
  { handler }: Application,
  session: Parameters<Application["handler"]>[0]["session"],
  request: Request,
): Promise<Response> => {
  const { pathname, search } = new URL(request.url);
  return responseOf(await handler({ session, method: request.method, url: pathname + search }), request);
};
