import { EventEmitter, on, once } from "node:events";
import type { AddressInfo } from "node:net";
import {
  createSessionManager,
  DriverUnavailableError,
  type ListingDriver,
  type SessionManager,
  type SessionManagerOptions,
} from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { io } from "socket.io-client";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { News } from "../src/live.ts";
import { createShop } from "../src/shop.ts";
import { SESSION_ENDED } from "../src/ws.ts";

/** A memory driver that writes down what reaches it, and whose backend can be unplugged, or be slow to answer a read. */
interface Backend {
  readonly driver: ListingDriver;
  calls: string[];
  down: boolean;
  /** Awaited after each read, before its answer arrives. */
  afterLoad: () => Promise<unknown>;
}

function createBackend(): Backend {
  const memory = memoryDriver();
  const run = async <T>(call: string, answer: () => Promise<T>): Promise<T> => {
    backend.calls.push(call);
    if (backend.down) throw new DriverUnavailableError("The backend is unplugged");
    return answer();
  };
  const backend: Backend = {
    calls: [],
    down: false,
    afterLoad: async () => undefined,
    driver: {
      name: "memory with a plug",
      create: (...args) => run("create", () => memory.create(...args)),
      load: (...args) =>
        run("load", async () => {
          const record = await memory.load(...args);
          await backend.afterLoad();
          return record;
        }),
      commit: (...args) => run("commit", () => memory.commit(...args)),
      destroy: (...args) => run("destroy", () => memory.destroy(...args)),
      sweep: (...args) => run("sweep", () => memory.sweep(...args)),
      list: (...args) => run("list", () => memory.list(...args)),
    },
  };
  return backend;
}

interface Started {
  readonly url: string;
  readonly sessions: SessionManager;
  /** A manager of another process, as it were: this one hears of nothing that it does. */
  readonly elsewhere: SessionManager;
  readonly backend: Backend;
}

/** Longer than any test: what is seen is not the timer's doing. */
const NEVER = 3_600_000;

/** The shop on a free port, until the test is over. */
export async function startShop(
  options: SessionManagerOptions & { checkEvery?: number } = {},
): Promise<Started> {
  const { checkEvery = NEVER, ...managerOptions } = options;
  const backend = createBackend();
  const managers = [0, 1].map(() => createSessionManager({ driver: backend.driver, ...managerOptions }));
  const [sessions, elsewhere] = managers;
  if (!sessions || !elsewhere) throw new Error("two managers were made");
  const { server, close } = createShop(sessions, { checkEvery });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    const closed = once(server, "close");
    close();
    server.closeAllConnections();
    await closed;
  });
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, sessions, elsewhere, backend };
}

/** Keeps the cookie, and follows no redirect. */
export class Visitor {
  cookie: string | undefined;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...(this.cookie !== undefined && { cookie: this.cookie }) };
    const response = await fetch(this.#url + path, { ...init, headers, redirect: "manual" });
    const [setCookie] = response.headers.getSetCookie();
    if (setCookie !== undefined) this.cookie = setCookie.split(";", 1)[0];
    return response;
  }

  async page(): Promise<string> {
    return (await this.#send("/", {})).text();
  }

  /** The status of what is asked as a browser asks: it takes a new cookie. */
  async get(path: string): Promise<number> {
    return (await this.#send(path, {})).status;
  }

  async post(path: string, fields: Record<string, string> = {}): Promise<void> {
    const response = await this.#send(path, { method: "POST", body: new URLSearchParams(fields) });
    if (response.status !== 303) throw new Error(`${path}: ${response.status}`);
  }
}

/** The socket of a page. */
export interface Client {
  send(message: unknown): void;
  /** What the server sends next. */
  next(): Promise<News>;
  /** How it was closed: for the end of its session, or otherwise. */
  readonly closed: Promise<"ended" | "other">;
  isOpen(): boolean;
}

type Connect = (url: string, cookie: string | undefined) => Client;

function clientOf(inbox: EventEmitter, send: Client["send"], isOpen: Client["isOpen"]): Client {
  const news = on(inbox, "news", { close: ["closed"] });
  const closed = once(inbox, "closed").then(([how]) => how);
  return {
    send,
    isOpen,
    closed,
    async next() {
      const { value, done } = await news.next();
      if (done) throw new Error("The socket was closed");
      return value[0];
    },
  };
}

/** Both libraries, driven in one way. */
export const libraries: Record<"ws" | "Socket.IO", Connect> = {
  ws(url, cookie) {
    const socket = new WebSocket(`${url.replace("http", "ws")}/live`, { headers: { cookie } });
    onTestFinished(() => socket.terminate());
    const inbox = new EventEmitter();
    socket.on("message", (data) => inbox.emit("news", JSON.parse(String(data))));
    socket.on("close", (code) => inbox.emit("closed", code === SESSION_ENDED ? "ended" : "other"));
    socket.on("error", () => undefined);
    const send = (message: unknown): void => socket.send(JSON.stringify(message));
    return clientOf(inbox, send, () => socket.readyState === WebSocket.OPEN);
  },
  "Socket.IO"(url, cookie) {
    const socket = io(url, {
      forceNew: true,
      reconnection: false,
      ...(cookie !== undefined && { extraHeaders: { cookie } }),
    });
    onTestFinished(() => void socket.disconnect());
    const inbox = new EventEmitter();
    socket.on("cart", (news) => inbox.emit("news", news));
    socket.on("connect_error", () => inbox.emit("closed", "other"));
    socket.on("disconnect", (reason) =>
      inbox.emit("closed", reason === "io server disconnect" ? "ended" : "other"),
    );
    return clientOf(
      inbox,
      (message) => socket.emit("cart", message),
      () => socket.connected,
    );
  },
};
