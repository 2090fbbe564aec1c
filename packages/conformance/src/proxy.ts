/** A small TCP proxy that breaks the line between a driver and its server, for `outage` of a target. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy in front of a server. It breaks connections, and counts bytes and round trips. */
export interface TestProxy {
  /** The address where the proxy listens. */
  readonly host: string;
  /** The port where the proxy listens; the same after `cut` and `restore`. */
  readonly port: number;
  /** The server's URL with the proxy's address. */
  readonly url: string;
  /** Bytes in each direction since the proxy was started. */
  readonly bytes: { readonly toServer: number; readonly toClient: number };
  /** Round trips since the proxy was started: how often a client has sent data after the server's last answer. */
  roundTrips(): number;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections and data, but passes nothing on. */
  stall(): Promise<void>;
  /** Loses the answer to what a client sends next: the server does it, and the client's connection ends without a word. */
  drop(): Promise<void>;
  /** Lets this many more bytes of answers through, then ends the connection in the middle of an answer. */
  cutAfter(bytes: number): void;
  /** Passes data on this many milliseconds late, in each direction. */
  delay(ms: number): void;
  /** Passes everything on again, at once. It ends stalled connections, because they have lost bytes. */
  restore(): Promise<void>;
  /** Ends every connection and the proxy. */
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const STANDARD_PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  mariadb: 3306,
  mongodb: 27017,
  mysql: 3306,
  postgres: 5432,
  postgresql: 5432,
  redis: 6379,
  rediss: 6379,
  valkey: 6379,
};

function addressOf(url: string): { host: string; port: number } {
  const scheme = url.slice(0, url.indexOf(":")).toLowerCase();
  // Use a scheme that URL knows. Of others it reads no host.
  const asWeb = url.replace(/^[a-z+]+:/i, "ws:");
  if (!URL.canParse(asWeb))
    // Not URL's own error, which holds the URL and so its password.
    throw new TypeError(
      'conformance: startProxy needs the URL of one server, such as "redis://localhost:6379"',
    );
  const { hostname, port: named } = new URL(asWeb);
  const port = Number(named) || STANDARD_PORTS[scheme];
  if (port === undefined)
    throw new TypeError(
      `conformance: startProxy needs a URL with a port, because ${scheme} has no usual one`,
    );
  return { host: hostname.replace(/^\[|\]$/g, ""), port };
}

/** Runs steps in order, each `ms` after it was given, or at once if nothing waits. */
function inOrder(ms: () => number): (step: () => void) => void {
  let waiting = 0;
  let last = Promise.resolve();
  return (step) => {
    const wait = ms();
    if (wait === 0 && waiting === 0) return step();
    waiting++;
    const due = new Promise<void>((resolve) => setTimeout(resolve, wait));
    last = Promise.all([last, due]).then(() => {
      waiting--;
      step();
    });
  };
}

/**
 * Starts a proxy on a free port of this machine. What speaks TCP passes through it: databases, and HTTP.
 *
 * @param to The URL of one server: `"redis://localhost:6379"`.
 * @throws TypeError if `to` is no URL of one server.
 * @example
 * import { testDriver } from "@sessions/conformance";
 * import { startProxy } from "@sessions/conformance/proxy";
 * import type { Driver } from "@sessions/core";
 * import { afterAll, test } from "vitest";
 *
 * declare const myDriver: (options: { url: string; prefix: string; timeout: number }) => Driver;
 *
 * const proxy = await startProxy("redis://localhost:6379");
 * afterAll(() => proxy.close());
 * testDriver({
 *   test,
 *   target: {
 *     name: "mine",
 *     open: (namespace) => myDriver({ url: proxy.url, prefix: `${namespace}:`, timeout: 1000 }),
 *     outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
 *   },
 * });
 */
export async function startProxy(to: string): Promise<TestProxy> {
  const target = addressOf(to);
  const connections = new Set<readonly [Socket, Socket]>();
  const bytes = { toServer: 0, toClient: 0 };
  let trips = 0;
  let late = 0;
  let stalled = false;
  let dropping = false;
  let left = Number.POSITIVE_INFINITY;

  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const connection = [client, upstream] as const;
    connections.add(connection);
    const toServer = inOrder(() => late);
    const toClient = inOrder(() => late);
    const end = () => {
      connections.delete(connection);
      for (const socket of connection) socket.destroy();
    };
    for (const socket of connection) socket.setNoDelay(true).on("error", end);
    // What is on its way still arrives.
    client.on("close", () => toServer(end));
    upstream.on("close", () => toClient(end));
    let answered = true;
    let answerIsLost = false;
    client.on("data", (chunk) => {
      bytes.toServer += chunk.length;
      if (answered) trips++;
      answered = false;
      if (dropping) answerIsLost = true;
      dropping = false;
      if (!stalled) toServer(() => upstream.write(chunk));
    });
    upstream.on("data", (chunk) => {
      bytes.toClient += chunk.length;
      answered = true;
      if (stalled) return;
      if (answerIsLost) return end();
      toClient(() => {
        if (chunk.length <= left) {
          left -= chunk.length;
          client.write(chunk);
          return;
        }
        client.write(chunk.subarray(0, left), end);
        left = Number.POSITIVE_INFINITY;
      });
    });
  });

  async function listen(port: number): Promise<void> {
    server.listen(port, LOOPBACK);
    await once(server, "listening");
  }
  function endAll(): void {
    for (const connection of connections) for (const socket of connection) socket.destroy();
    connections.clear();
  }
  async function cut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    endAll();
    await closed;
  }

  await listen(0);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    host: LOOPBACK,
    port,
    url: to.replace(/\/\/([^@/]*@)?[^/?]*/, (_, user = "") => `//${user}${LOOPBACK}:${port}`),
    bytes,
    roundTrips: () => trips,
    cut,
    async stall() {
      stalled = true;
    },
    async drop() {
      dropping = true;
    },
    cutAfter(more) {
      left = more;
    },
    delay(ms) {
      late = ms;
    },
    async restore() {
      if (stalled) endAll();
      stalled = false;
      dropping = false;
      late = 0;
      left = Number.POSITIVE_INFINITY;
      if (!server.listening) await listen(port);
    },
    close: cut,
  };
}
