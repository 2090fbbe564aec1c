import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { HOST } from "./server.ts";

/** A Redis behind the REST interface of Upstash, on this machine. */
export interface UpstashFront {
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

/** Sends one command to a Redis, and rejects with its error reply. */
type Send = (command: string[]) => Promise<unknown>;

const TOKEN = "token-of-the-front";

function isCommand(body: unknown): body is (string | number)[] {
  return Array.isArray(body) && body.every((arg) => typeof arg === "string" || typeof arg === "number");
}

/** Texts other than OK in base64, as a client may ask. */
function encode(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(encode);
  return typeof reply === "string" && reply !== "OK" ? Buffer.from(reply).toString("base64") : reply;
}

/** Replies of `send` as Upstash's: `{ result }`, or `{ error }`. */
async function answer(send: Send, command: unknown, base64: boolean): Promise<object> {
  if (!isCommand(command)) return { error: "ERR failed to parse command" };
  try {
    const result = await send(command.map(String));
    return { result: base64 ? encode(result) : result };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Starts an HTTP server with the documented interface of Upstash: `POST /` with a command as a JSON array, and
 * `/pipeline` and `/multi-exec` with a list of them.
 *
 * @param send Sends a command to the Redis; its replies are RESP2's.
 */
export async function startUpstashFront(send: Send): Promise<UpstashFront> {
  async function handle(request: IncomingMessage): Promise<[number, unknown]> {
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return [401, { error: "Unauthorized" }];
    if (request.method !== "POST") return [405, { error: "ERR this front takes POST alone" }];
    const body: unknown = await json(request);
    const base64 = request.headers["upstash-encoding"] === "base64";
    if (request.url === "/") {
      const reply = await answer(send, body, base64);
      return ["error" in reply ? 400 : 200, reply];
    }
    if (request.url !== "/pipeline" && request.url !== "/multi-exec")
      return [404, { error: "ERR not found" }];
    if (!Array.isArray(body)) return [400, { error: "ERR failed to parse pipeline request" }];
    // One connection has all of them in order. A transaction that the server refuses is not imitated.
    const commands: unknown[] = body;
    return [200, await Promise.all(commands.map((command) => answer(send, command, base64)))];
  }

  const server = createServer((request, response) => {
    handle(request).then(
      ([status, body]) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
      () => response.destroy(),
    );
  });
  server.listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://${HOST}:${port}`,
    token: TOKEN,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
