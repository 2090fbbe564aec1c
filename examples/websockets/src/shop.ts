import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { sessionMiddleware } from "@sessions/adapter-node";
import type { SessionManager } from "@sessions/core";
import express, { type Express } from "express";
import { add, cart, written } from "./cart.ts";
import { isCrossOrigin } from "./handshake.ts";
import { createLive } from "./live.ts";
import { page } from "./page.ts";
import { serveSocketIo } from "./socket-io.ts";
import { serveWs } from "./ws.ts";

/** The pages: an ordinary Express application. The sockets share its sessions. */
function createPages(sessions: SessionManager): Express {
  const app = express();
  // Forms of other origins come with our cookie if SameSite allows it.
  app.use((req, res, next) => {
    if (req.method === "POST" && isCrossOrigin(req)) res.sendStatus(403);
    else next();
  });
  app.use(sessionMiddleware(sessions));
  app.use(express.urlencoded({ extended: false }));

  for (const [path, library] of [["/", "ws"] as const, ["/socket-io", "socket.io"] as const])
    app.get(path, ({ session }, res) => {
      const items = session.store(cart).get("items") ?? [];
      res.send(page({ library, user: session.principal, items, isLive: !session.isNew }));
    });

  // A page's script cannot see that a handshake was refused with 401, so it asks here.
  app.get("/session", ({ session }, res) => res.sendStatus(session.isNew ? 401 : 204));

  app.post("/cart", ({ session, body }, res) => {
    add(session, written(body, "item"));
    res.redirect(303, "/");
  });

  app.post("/login", ({ session, body }, res) => {
    const name = written(body, "name");
    if (name) session.login(name);
    res.redirect(303, "/");
  });

  app.post("/logout", async ({ session }, res) => {
    await session.logout();
    res.redirect(303, "/");
  });

  return app;
}

/** One server for the pages, websockets by ws, and Socket.IO. */
export interface Shop {
  readonly server: Server;
  /** Closes sockets and server. Open responses and closing handshakes have two seconds. */
  close(): void;
}

/** Closes the sockets of a session that ended elsewhere after `checkEvery` milliseconds at the latest. */
export function createShop(sessions: SessionManager, { checkEvery }: { checkEvery: number }): Shop {
  const live = createLive(sessions, checkEvery);
  const server = createServer(createPages(sessions));
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (_request, socket) => {
    upgraded.add(socket);
    socket.on("close", () => upgraded.delete(socket));
    // Listen for errors while a handshake is judged. Otherwise a client that hangs up ends the process.
    socket.on("error", () => socket.destroy());
  });
  const closeWs = serveWs(server, sessions, live);
  const closeSocketIo = serveSocketIo(server, sessions, live);
  return {
    server,
    close() {
      live.stop();
      closeWs();
      closeSocketIo();
      // Browsers keep unused connections open, and the server does not know upgraded ones.
      setTimeout(() => {
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }, 2000).unref();
    },
  };
}
