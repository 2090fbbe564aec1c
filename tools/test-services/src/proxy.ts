import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP proxy in front of a server. With it, a test breaks the line and counts its bytes. */
export interface TestProxy {
  readonly port: number;
  /** The server's URL with the proxy's address. */
  readonly url: string;
  /** The bytes in each direction since the proxy was opened. */
  readonly bytes: { toServer: number; toClient: number };
  /** How often a connection's client has sent something after the server's last answer, since the proxy was opened. */
  roundTrips(): number;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections, but lets no byte through. */
  stall(): void;
  /** Lets this many more bytes of answers through, then ends the connection. */
  cutAfter(bytes: number): void;
  /** Lets everything through again. Ends stalled connections, because they have lost bytes. */
  restore(): Promise<void>;
  /** Closes the proxy. */
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const STANDARD_PORTS: Readonly<Record<string, number>> = {
  redis: 6379,
  mysql: 3306,
  mariadb: 3306,
  mongodb: 27017,
};

/** Opens a proxy on a free loopback port. */
export async function openProxy(url: string): Promise<TestProxy> {
  const scheme = url.slice(0, url.indexOf(":"));
  // URL reads a host only for a scheme that it knows, so replace the scheme.
  const { hostname, port: named } = new URL(url.replace(/^[a-z+]+:/i, "ws:"));
  const target = Number(named) || (STANDARD_PORTS[scheme] ?? 80);
  const pairs = new Set<readonly [Socket, Socket]>();
  const bytes = { toServer: 0, toClient: 0 };
  let trips = 0;
  let stalled = false;
  let left = Number.POSITIVE_INFINITY;

  const server = createServer((client) => {
    const upstream = connect(target, hostname.replace(/^\[|\]$/g, ""));
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.setNoDelay(true).on("error", end).on("close", end);
    let answered = true;
    client.on("data", (chunk) => {
      bytes.toServer += chunk.length;
      if (answered) trips++;
      answered = false;
      if (!stalled) upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      bytes.toClient += chunk.length;
      answered = true;
      if (stalled) return;
      if (chunk.length <= left) {
        left -= chunk.length;
        client.write(chunk);
        return;
      }
      client.write(chunk.subarray(0, left), end);
      left = Number.POSITIVE_INFINITY;
    });
  });

  async function listen(port: number): Promise<void> {
    server.listen(port, LOOPBACK);
    await once(server, "listening");
  }
  function endAll(): void {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  }
  async function cut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    endAll();
    await closed;
  }

  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: url.replace(/\/\/([^@/]*@)?[^/?]*/, (_, user = "") => `//${user}${LOOPBACK}:${port}`),
    bytes,
    roundTrips: () => trips,
    cut,
    stall() {
      stalled = true;
    },
    cutAfter(more) {
      left = more;
    },
    async restore() {
      if (stalled) endAll();
      stalled = false;
      left = Number.POSITIVE_INFINITY;
      if (!server.listening) await listen(port);
    },
    close: cut,
  };
}
