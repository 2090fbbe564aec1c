import type { Server } from "node:http";
import type { SessionManager } from "@sessions/core";
import { WebSocketServer } from "ws";
import { judge, refuse } from "./handshake.ts";
import type { Live } from "./live.ts";

/** The close code for an ended session. 4000 to 4999 are for applications. */
export const SESSION_ENDED = 4001;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Serves websockets at `/live`. Returns a function that closes them. */
export function serveWs(server: Server, sessions: SessionManager, live: Live): () => void {
  // With `{ server, path }` it would refuse the upgrades of other paths, which belong to Socket.IO.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 4096 });

  server.on("upgrade", async (request, socket, head) => {
    const [path] = (request.url ?? "").split("?", 1);
    if (path?.startsWith("/socket.io/")) return;
    if (path !== "/live") return refuse(socket, 404);
    const verdict = await judge(sessions, request);
    if ("refused" in verdict) return refuse(socket, verdict.refused);

    sockets.handleUpgrade(request, socket, head, (ws) => {
      const line = live.join(verdict.id, {
        send: (news) => ws.send(JSON.stringify(news)),
        end: () => ws.close(SESSION_ENDED, "The session has ended"),
        drop: () => ws.terminate(),
      });
      ws.on("message", (data) => line.receive(parse(String(data))));
      ws.on("close", line.leave);
      // The client broke the protocol. "close" follows.
      ws.on("error", () => undefined);
    });
  });

  return () => {
    // Going away: the client may connect again, to another process.
    for (const ws of sockets.clients) ws.close(1001);
  };
}
