import { type Server as HttpServer, type IncomingMessage, ServerResponse } from "node:http";
import { sessionMiddleware } from "@sessions/adapter-node";
import type { Session, SessionManager } from "@sessions/core";
import { Server } from "socket.io";
import { isCrossOrigin, refuse, statusOf } from "./handshake.ts";
import type { Live } from "./live.ts";

type Handshake = IncomingMessage & { session?: Session };

/** Serves Socket.IO, by polling and by websocket. Returns a function that closes it and the HTTP server. */
export function serveSocketIo(server: HttpServer, sessions: SessionManager, live: Live): () => void {
  // Otherwise it cuts other upgrades without a response within a second, even if the backend is only slow.
  const io = new Server(server, { destroyUpgrade: false, maxHttpBufferSize: 4096 });
  // The middleware of the pages. A handshake does not count as use of the session.
  const open = sessionMiddleware(sessions, { touch: () => false });

  // Judge before Socket.IO does. Its `allowRequest` can refuse too, but not with 401.
  io.engine.use((request: Handshake, response: ServerResponse, next: () => void) => {
    // Polls, and the upgrade from polling, carry the id of a judged handshake, which only this client knows.
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    if (searchParams.getAll("sid").at(-1)) return next();
    const refused = (status: number): void => {
      // An upgrade has only a placeholder response, which writes nothing.
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
    // The session of the request that opened the socket. Without one, the socket is not ours.
    const { session }: Handshake = socket.request;
    if (!session) {
      socket.disconnect(true);
      return;
    }
    const line = live.join(session.id, {
      send: (news) => socket.emit("cart", news),
      // The client gets "io server disconnect" and does not reconnect.
      end: () => socket.disconnect(true),
      drop: () => socket.disconnect(true),
    });
    socket.on("cart", line.receive);
    socket.on("disconnect", line.leave);
  });

  return () => void io.close();
}
