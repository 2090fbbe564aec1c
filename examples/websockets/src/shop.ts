import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { sessionMiddleware } from "@sessions/adapter-node";
import type { SessionManager } from "@sessions/core";
import express, { type Express } from "express";
import { add, cart, written } from "./cart.ts";
import { isCrossOrigin } from "./handshake.ts";
import { createLive, type Live } from "./live.ts";
import { page } from "./page.ts";
import { serveSocketIo } from "./socket-io.ts";
import { serveWs } from "./ws.ts";

/** The pages: an ordinary Express application, whose sessions the sockets share. */
function createPages(sessions: SessionManager, live: Live): Express {
  const app = express();
  // Forms of other sites' pages come with our cookie too, where SameSite lets them.
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

  // Browsers do not tell a page's script that a handshake was refused with 401; this does.
  app.get("/session", ({ session }, res) => res.sendStatus(session.isNew ? 401 : 204));

  app.post("/cart", ({ session, body }, res) => {
    add(session, written(body, "item"));
    res.redirect(303, "/");
  });

  app.post("/login", ({ session, body }, res) => {
    const name = written(body, "name");
    if (name) {
      const before = session.id;
      session.login(name);
      // The old session has ended then, and so do its sockets. No event names it: "rotated" tells of the new one.
      res.once("close", () => void live.check(before));
    }
    res.redirect(303, "/");
  });

  app.post("/logout", async ({ session }, res) => {
    await session.logout();
    res.redirect(303, "/");
  });

  return app;
}

/** What is served together: pages, websockets by ws, and Socket.IO. */
export interface Shop {
  readonly server: Server;
  /** Closes sockets and server. What is being answered, and who says goodbye, has two seconds. */
  close(): void;
}

/** Sockets whose session has ended elsewhere are closed after `checkEvery` milliseconds at the latest. */
export function createShop(sessions: SessionManager, { checkEvery }: { checkEvery: number }): Shop {
  const live = createLive(sessions, checkEvery);
  const server = createServer(createPages(sessions, live));
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (_request, socket) => {
    upgraded.add(socket);
    socket.on("close", () => upgraded.delete(socket));
    // While a handshake is judged nobody else listens: a client that hangs up would end the process.
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
      // Browsers keep connections open that they never used, and the server knows nothing of upgraded ones.
      setTimeout(() => {
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }, 2000).unref();
    },
  };
}
