import { once } from "node:events";
import http, { type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Application, Reply, Target } from "../src/index.ts";
import { type Middleware, type Steps, simpleAdapter, sound, type Visited } from "./simple-adapter.ts";

async function send(res: ServerResponse, reply: Reply): Promise<void> {
  const { status = 200, headers = {}, body, redirect } = reply;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (redirect !== undefined) res.writeHead(303, { Location: redirect }).end();
  else {
    res.statusCode = status;
    if (typeof body === "object") await pipeline(Readable.from(body), res).catch(() => undefined);
    else res.end(body);
  }
}

/** Serves an application behind the simple adapter with these steps. */
function listenerOf(
  { sessions, options, handler, onError, before, after }: Application,
  steps: Steps,
  mount: Mount,
) {
  const middleware = mount(simpleAdapter(sessions, options, steps));
  return (req: Visited, res: ServerResponse): void => {
    function fail(error: unknown): void {
      onError(error);
      res.statusCode = 500;
      res.end("error page");
    }
    before(res, () => req.session);
    middleware(req, res, (error) => {
      const { session, method = "", url = "" } = req;
      if (error !== undefined || !session) return fail(error);
      after(res, () => session);
      handler({ session, method, url })
        .then((reply) => send(res, reply))
        .catch(fail);
    });
  };
}

/** Puts something around the adapter. */
export type Mount = (adapter: Middleware) => Middleware;

/** A target for the simple adapter, sound or with the faults in `steps` or in what `mount` puts around it. */
export const simpleTarget = (
  name: string,
  steps: Steps = sound,
  mount: Mount = (adapter) => adapter,
): Target => ({
  name,
  abilities: ["streams", "node", "touch", "vary"],
  async start(application) {
    const server = http.createServer(listenerOf(application, steps, mount));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    return {
      url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
      close() {
        server.closeAllConnections();
        server.close();
      },
    };
  },
});
