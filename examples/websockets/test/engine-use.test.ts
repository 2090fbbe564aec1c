import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager, isSessionError, type Session } from "@sessions/core";
import { Server, type Socket } from "socket.io";
import { io as connect } from "socket.io-client";
import { describe, expect, onTestFinished, test } from "vitest";

/** Sessions as Socket.IO's own documents share them: one middleware for all requests of its engine. */
async function start() {
  const sessions = createSessionManager();
  const server = http.createServer();
  const io = new Server(server);
  io.engine.use(sessionMiddleware(sessions));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => io.close());
  const stored = async (cookie: string): Promise<unknown> =>
    (await sessions.open(cookie)).store("app").get("n");
  return {
    sessions,
    io,
    stored,
    async visitor(): Promise<string> {
      const session = sessions.create();
      session.login("ada");
      return (await session.commit()).setCookie?.split(";")[0] ?? "";
    },
    /** The server's end of a socket that a client with this cookie opened. */
    async open(transports: string[], cookie: string): Promise<Socket> {
      const { port } = server.address() as AddressInfo;
      const client = connect(`http://127.0.0.1:${port}`, {
        transports,
        forceNew: true,
        reconnection: false,
        ...(cookie !== "" && { extraHeaders: { cookie } }),
      });
      onTestFinished(() => void client.disconnect());
      const connected = new Promise<void>((resolve) => client.once("connect", resolve));
      const [[socket]] = await Promise.all([once(io, "connection"), connected]);
      return socket;
    },
  };
}

const sessionOf = ({ request }: Socket): Session => {
  const { session }: IncomingMessage & { session?: Session } = request;
  if (!session) throw new Error("The socket has no session");
  return session;
};

describe.each([
  { transports: ["websocket"] },
  { transports: ["polling"] },
  { transports: ["polling", "websocket"] },
])("io.engine.use(sessionMiddleware(sessions)), by $transports", ({ transports }) => {
  test("a socket has its visitor's session", async () => {
    const { open, visitor } = await start();
    expect(sessionOf(await open(transports, await visitor())).principal).toBe("ada");
  });

  test("what it writes is stored by commit(), and by itself", async () => {
    const { open, visitor, stored } = await start();
    const cookie = await visitor();
    const session = sessionOf(await open(transports, cookie));
    session.store("app").set("n", 1);
    await session.commit();
    expect(await stored(cookie)).toBe(1);
    for (const n of [2, 3]) {
      session.store("app").set("n", n);
      await expect.poll(() => stored(cookie)).toBe(n);
    }
  });

  test("a visitor without a session gets a socket, and no cookie: what is written for one is no session", async () => {
    const { open, sessions } = await start();
    const session = sessionOf(await open(transports, ""));
    expect(session.isNew).toBe(true);
    let login: unknown;
    try {
      session.login("ada");
    } catch (error) {
      login = error;
    }
    expect(isSessionError(login, "ERR_SESSION_HEADERS_SENT")).toBe(true);
    for await (const { principal } of sessions.list()) expect(principal).toBeUndefined();
  });
});
