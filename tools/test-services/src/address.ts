import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { HOST } from "./server.ts";

/** An address of this machine that stays while the server behind it is replaced, as a virtual IP's or a proxy's does. */
export interface Address {
  readonly port: number;
  /** Ends all connections. New ones reach the server on this port. */
  moveTo(port: number): void;
  close(): Promise<void>;
}

/** Takes an address on a free port, in front of the server on another port. */
export async function startAddress(port: number): Promise<Address> {
  let target = port;
  const sockets = new Set<Socket>();
  const endAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    const upstream = connect(target, HOST);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket.setNoDelay(true));
      socket
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  });
  server.listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    moveTo(next) {
      target = next;
      endAll();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      endAll();
      await closed;
    },
  };
}
