import { once } from "node:events";
import http, { type RequestListener, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Reply } from "./kit.ts";

/** Listens on a free port. */
export async function listen(listener: RequestListener): Promise<{ url: string; close(): void }> {
  const server = http.createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Sends a reply by a response of `node:http`. */
export async function send(
  res: ServerResponse,
  { status, headers = {}, body, redirect }: Reply,
): Promise<void> {
  // The library may have set a cookie already.
  for (const [name, value] of Object.entries(headers))
    if (name === "Set-Cookie") for (const one of [value].flat()) res.appendHeader(name, one);
    else res.setHeader(name, value);
  if (redirect !== undefined) res.writeHead(303, { Location: redirect });
  else res.statusCode = status ?? 200;
  if (body === undefined || typeof body === "string") res.end(body);
  // A response that is cut also reports the error here.
  else await pipeline(Readable.from(body), res).catch(() => undefined);
}
