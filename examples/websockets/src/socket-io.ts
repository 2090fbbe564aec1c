import { type Server as HttpServer, type IncomingMessage, ServerResponse } from "node:http";
import { sessionMiddleware } from "@sessions/adapter-node";
import type { Session, SessionManager } from "@sessions/core";
import { Server } from "socket.io";
import { isCrossOrigin, refuse, statusOf } from "./handshake.ts";
import type { Live } from "./live.ts";

type Handshake = IncomingMessage & { session?: Session };

/** Serves Socket.IO, by polling and by websocket; answers what closes it, and the HTTP server with it. */
export function serveSocketIo(server: HttpServer, sessions: SessionManager, live: Live): () => void {
  // It would cut other upgrades that are not answered within a second: a slow backend is no reason.
  const io = new Server(server, { destroyUpgrade: false, maxHttpBufferSize: 4096 });
  // The middleware of the pages. A handshake is no use of the session.
  const open = sessionMiddleware(sessions, { touch: () => false });

  // Before Socket.IO looks at it. Its `allowRequest` could say no as well, but not 401.
  io.engine.use((request: Handshake, response: ServerResponse, next: () => void) => {
    // Polls, and the upgrade from polling, name what the handshake began, which nobody else knows.
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    if (searchParams.getAll("sid").at(-1)) return next();
    const refused = (status: number): void => {
      // An upgrade has only a stand-in, which writes nothing.
      if (response instanceof ServerResponse) response.writeHead(status).end();
      else refuse(request.socket, status);
    };
    if (isCrossOrigin(request)) return refused(403);
    open(request, response, (error) => {
      if (error !== undefined) refused(statusOf(error));
      else if (request.session?.isNew !== false) refused(401);
      else next();
    });
  });

  io.on("connection", (socket) => {
    // Of the request that opened it; without one it is none of ours.
    const { session }: Handshake = socket.request;
    if (!session) {
      socket.disconnect(true);
      return;
    }
    const line = live.join(session.id, {
      send: (news) => socket.emit("cart", news),
      // The client hears of "io server disconnect", and does not come again by itself.
      end: () => socket.disconnect(true),
      drop: () => socket.disconnect(true),
    });
    socket.on("cart", line.receive);
    socket.on("disconnect", line.leave);
  });

  return () => void io.close();
}
