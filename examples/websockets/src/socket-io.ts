import { type Server as HttpServer, type IncomingMessage, ServerResponse } from "node:http";
import type { SessionManager } from "@sessions/core";
import { Server } from "socket.io";
import { judge, refuse } from "./handshake.ts";
import type { Live } from "./live.ts";

/** Serves Socket.IO, by polling and by websocket; answers what closes it, and the HTTP server with it. */
export function serveSocketIo(server: HttpServer, sessions: SessionManager, live: Live): () => void {
  // It would cut other upgrades that are not answered within a second: a slow backend is no reason.
  const io = new Server(server, { destroyUpgrade: false, maxHttpBufferSize: 4096 });
  const ids = new WeakMap<IncomingMessage, string>();

  // The handshake, before Socket.IO looks at it. Its `allowRequest` could say no as well, but not 401.
  io.engine.use(async (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    // Polls, and the upgrade from polling, name what the handshake began, which nobody else knows.
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    if (searchParams.getAll("sid").at(-1)) return next();
    const verdict = await judge(sessions, request);
    if ("id" in verdict) {
      ids.set(request, verdict.id);
      next();
    } else if (response instanceof ServerResponse) response.writeHead(verdict.refused).end();
    // An upgrade has only a stand-in, which writes nothing.
    else refuse(request.socket, verdict.refused);
  });

  io.on("connection", (socket) => {
    // By the request that opened it. Without a verdict it was none of ours.
    const id = ids.get(socket.request);
    if (id === undefined) {
      socket.disconnect(true);
      return;
    }
    const line = live.join(id, {
      send: (news) => socket.emit("cart", news),
      // The client hears of "io server disconnect", and does not come again by itself.
      end: () => socket.disconnect(true),
    });
    socket.on("cart", line.receive);
    socket.on("disconnect", line.leave);
  });

  return () => void io.close();
}
