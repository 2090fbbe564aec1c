import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { HOST } from "./server.ts";

/** A PostgreSQL behind the HTTP interface of Neon, on this machine. */
export interface NeonFront {
  /** For `neonConfig.fetchEndpoint`. */
  readonly url: string;
  close(): Promise<void>;
}

/** What a statement returned, with every column as the server's text. */
export interface NeonFrontResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Sends one statement to a PostgreSQL, and rejects with its error. */
type Run = (query: string, params: (string | null)[]) => Promise<NeonFrontResult>;

const isObject = (value: unknown): value is Record<string, unknown> => Object(value) === value;

function isParams(value: unknown): value is (string | null)[] {
  return Array.isArray(value) && value.every((one) => one === null || typeof one === "string");
}

/** What Neon's proxy puts into the body of an error, beside the message. */
const PROPERTIES = [
  ...["severity", "code", "detail", "hint", "position", "internalPosition", "internalQuery", "where"],
  ...["schema", "table", "column", "dataType", "constraint", "file", "line", "routine"],
];

/**
 * Starts an HTTP server with the interface that `neon()` of `@neondatabase/serverless` speaks: `POST /sql` with one
 * statement as `{ query, params }`. Batches are not imitated.
 */
export async function startNeonFront(run: Run): Promise<NeonFront> {
  async function handle(request: IncomingMessage): Promise<[number, unknown]> {
    if (request.method !== "POST" || request.url !== "/sql") return [404, { message: "not found" }];
    const { headers } = request;
    if (headers["neon-connection-string"] === undefined)
      return [400, { message: "missing header Neon-Connection-String" }];
    if (headers["neon-raw-text-output"] !== "true" || headers["neon-array-mode"] !== "true")
      return [400, { message: "this front writes only texts in lists" }];
    const body: unknown = await json(request);
    if (!isObject(body) || typeof body["query"] !== "string" || !isParams(body["params"]))
      return [400, { message: "this front takes one statement with texts" }];
    try {
      return [200, { ...(await run(body["query"], body["params"])), rowAsArray: true }];
    } catch (error) {
      const found: Record<string, unknown> = Object(error);
      if (found["severity"] === undefined) return [500, { message: "no connection to the database" }];
      return [400, Object.fromEntries(["message", ...PROPERTIES].map((name) => [name, found[name] ?? null]))];
    }
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
    url: `http://${HOST}:${port}/sql`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
