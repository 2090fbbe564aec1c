import { createServer, request } from "node:http";
import { memoryDriver } from "@sessions/core/memory";
import session from "@sessions/express-session";
import express, { type NextFunction, type Request, type Response } from "express";
import { Server } from "socket.io";
import { io as connect, type Socket } from "socket.io-client";
import { describe, expect, it, onTestFinished } from "vitest";
import { listen, Visitor } from "./support.ts";

declare module "express-session" {
  interface SessionData {
    user: string;
    count: number;
    cart: string[];
  }
}

/** The application of Socket.IO's guide to express-session. */
async function site(use: "engine.use" | "io.use" = "engine.use"): Promise<string> {
  const app = express();
  const httpServer = createServer(app);
  const io = new Server(httpServer);
  onTestFinished(() => io.close());
  const sessionMiddleware = session({
    secret: "changeit",
    resave: true,
    saveUninitialized: true,
    driver: memoryDriver(),
  });
  app.use(sessionMiddleware);
  if (use === "engine.use") io.engine.use(sessionMiddleware);
  // As before Socket.IO 4.6, and as the examples of ws do it: without a response.
  else
    io.use((socket, next) =>
      sessionMiddleware(socket.request as Request, {} as Response, next as NextFunction),
    );

  app.post("/login", (req, res) => {
    req.session.user = "alice";
    res.end();
  });
  app.post("/cart", (req, res) => {
    req.session.cart = ["tea"];
    res.end();
  });
  app.get("/", (req, res) => {
    const { user, count, cart } = req.session;
    res.json({ user, count, cart });
  });
  app.post("/logout", (req, res, next) => {
    const sessionId = req.session.id;
    req.session.destroy((error) => {
      if (error) {
        next(error);
        return;
      }
      io.in(sessionId).disconnectSockets();
      res.end();
    });
  });

  io.on("connection", (socket) => {
    const req = socket.request as Request;
    void socket.join(req.session.id);
    socket.use((_event, next) => {
      req.session.reload((error) => {
        if (error) socket.disconnect();
        else next();
      });
    });
    socket.on("whoami", (answer) => {
      answer(req.session.user ?? "a guest");
    });
    socket.on("count", (answer) => {
      req.session.count = (req.session.count ?? 0) + 1;
      req.session.save((error) => answer(error ? "failed" : req.session.count));
    });
  });
  return listen(httpServer);
}

/** Opens a socket with a visitor's cookie. */
async function openSocket(visitor: Visitor, transport: string): Promise<Socket> {
  const socket = connect(visitor.home, {
    transports: [transport],
    forceNew: true,
    reconnection: false,
    extraHeaders: { cookie: `connect.sid=${visitor.cookie("connect.sid")}` },
  });
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve, reject) => {
    socket.on("connect", resolve);
    socket.on("connect_error", reject);
  });
  return socket;
}

const view = async (visitor: Visitor) => JSON.parse((await visitor.get("/")).body);

describe.each(["polling", "websocket"])("engine.use over %s", (transport) => {
  const open = (visitor: Visitor): Promise<Socket> => openSocket(visitor, transport);
  /** The cookies that a socket gets which has none. */
  const cookiesOf = (url: string): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
      const first = request(`${url}/socket.io/?EIO=4&transport=${transport}`, {
        ...(transport === "websocket" && {
          headers: { ...headers, "sec-websocket-key": Buffer.alloc(16).toString("base64") },
        }),
      });
      first.on("upgrade", ({ headers }, socket) => {
        socket.destroy();
        resolve(headers["set-cookie"] ?? []);
      });
      first.on("response", (response) => {
        response.resume();
        resolve(response.headers["set-cookie"] ?? []);
      });
      first.on("error", reject);
      first.end();
    });

  it("a socket has the session of the page, reads what it says now, and saves", async () => {
    const visitor = new Visitor(await site());
    await visitor.get("/");
    const socket = await open(visitor);
    expect(await socket.emitWithAck("whoami")).toBe("a guest");
    await visitor.post("/login");
    expect(await socket.emitWithAck("whoami")).toBe("alice");
    expect([await socket.emitWithAck("count"), await socket.emitWithAck("count")]).toEqual([1, 2]);
    expect(await view(visitor)).toEqual({ user: "alice", count: 2 });
  });

  it("loses nothing of requests that overlap with a socket", async () => {
    const visitor = new Visitor(await site());
    await visitor.get("/");
    const socket = await open(visitor);
    await Promise.all([
      visitor.post("/login"),
      socket.emitWithAck("count"),
      visitor.post("/cart"),
      socket.emitWithAck("whoami"),
    ]);
    expect(await view(visitor)).toEqual({ user: "alice", count: 1, cart: ["tea"] });
  });

  it("a socket without a cookie gets one, of a session that is stored", async () => {
    const url = await site();
    const [cookie = ""] = await cookiesOf(url);
    expect(cookie).toMatch(/^connect\.sid=s%3A/);
    const page = await fetch(url, { headers: { cookie: cookie.split(";", 1)[0] ?? "" } });
    expect([page.status, page.headers.getSetCookie()]).toEqual([200, []]);
  });

  it("a logout ends the socket, and the socket cannot bring the session back", async () => {
    const visitor = new Visitor(await site());
    await visitor.post("/login");
    const socket = await open(visitor);
    const over = new Promise((resolve) => socket.on("disconnect", resolve));
    await visitor.post("/logout");
    await over;
    expect(await view(visitor)).toEqual({});
  });
});

it("io.use without a response: a socket has the session of the page, and saves", async () => {
  const visitor = new Visitor(await site("io.use"));
  await visitor.post("/login");
  const socket = await openSocket(visitor, "websocket");
  expect(await socket.emitWithAck("whoami")).toBe("alice");
  expect(await socket.emitWithAck("count")).toBe(1);
  expect(await view(visitor)).toEqual({ user: "alice", count: 1 });
});
