import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { newId } from "@sessions/driver-tests/records";
import { onTestFinished } from "vitest";
import { type DynamodbDriverOptions, dynamodbDriver } from "../src/index.ts";

export { begin, HOUR, newId } from "@sessions/driver-tests/records";

export const newTable = (): string => `t_${newId().slice(0, 12)}`;

/** What a client needs for a service's URL; all else is the SDK's own settings. */
export const configOf = (url: string): DynamoDBClientConfig => ({
  endpoint: url.replace(/^dynamodb:/, "http:"),
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});

export const clientOf = (url: string, config: DynamoDBClientConfig = {}): DynamoDBClient =>
  new DynamoDBClient({ ...configOf(url), ...config });

/** A driver whose table exists until the end of the test. */
export async function prepare(
  url: string,
  options: Partial<DynamodbDriverOptions> = {},
  config: DynamoDBClientConfig = {},
): Promise<{ driver: ReturnType<typeof dynamodbDriver>; client: DynamoDBClient; table: string }> {
  const table = options.table ?? newTable();
  const client = clientOf(url, config);
  const driver = dynamodbDriver({ client, table, ...options });
  const direct = clientOf(url);
  const provisioning = dynamodbDriver({ client: direct, table });
  await provisioning.setup();
  onTestFinished(async () => {
    await provisioning.teardown();
    direct.destroy();
    client.destroy();
  });
  return { driver, client, table };
}

/** An effect in place of forwarding: a reply in the service's form, silence, or a cut. */
export type Instead =
  | { readonly status: number; readonly type: string; readonly message?: string }
  | "silence"
  | "end"
  | "end after it was done";

export interface Gateway {
  readonly url: string;
  /** The operations of all requests, in their order. */
  readonly asked: string[];
  readonly headers: IncomingHttpHeaders[];
  /** Decides the effect for a request; without it all requests are forwarded. */
  instead: ((operation: string) => Instead | undefined) | undefined;
  /** The number of open connections. */
  connections(): Promise<number>;
  /** The date in the replies. */
  date: (() => Date) | undefined;
}

/** An HTTP proxy that records requests, and may reply in the server's place. Closed after the test. */
export async function openGateway(url: string): Promise<Gateway> {
  const target = new URL(url.replace(/^dynamodb:/, "http:"));
  const gateway: Gateway = {
    url: "",
    asked: [],
    headers: [],
    connections: () => promisify(server.getConnections.bind(server))(),
    instead: undefined,
    date: undefined,
  };
  const server = createServer(async (asked, answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of asked) chunks.push(chunk);
    const operation = String(asked.headers["x-amz-target"]).split(".")[1] ?? "";
    gateway.asked.push(operation);
    gateway.headers.push(asked.headers);
    const dated = gateway.date && { date: gateway.date().toUTCString() };
    const instead = gateway.instead?.(operation);
    if (instead === "silence") return;
    if (instead === "end") {
      asked.socket.destroy();
      return;
    }
    if (typeof instead === "object") {
      const { status, type, message = "said by the test" } = instead;
      answer.writeHead(status, { "content-type": "application/x-amz-json-1.0", ...dated });
      answer.end(
        JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message, Message: message }),
      );
      return;
    }
    const { method, headers, url: path } = asked;
    const { hostname, port } = target;
    const onward = request({ hostname, port, method, headers, path });
    onward.end(Buffer.concat(chunks));
    const [reply] = await once(onward, "response");
    if (instead === "end after it was done") {
      asked.socket.destroy();
      return;
    }
    answer.writeHead(reply.statusCode, { ...reply.headers, ...dated });
    reply.pipe(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return Object.assign(gateway, { url: `dynamodb://127.0.0.1:${port}` });
}
