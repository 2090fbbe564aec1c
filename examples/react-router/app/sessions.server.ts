import process from "node:process";
import { withSession } from "@sessions/adapter-fetch";
import { createSessionManager, defineStore, driverFromUrl, type Session } from "@sessions/core";
import { createContext, type MiddlewareFunction } from "react-router";

// One variable chooses the backend, whose driver is a package to install: redis://localhost:6379, for example.
const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup(); // a backend's tables; nothing in memory
sessions.startSweeping({ every: "10m" });

/** Where loaders and actions find the session of their request. */
export const sessionContext = createContext<Session>();

/** The root's: around pages, actions, resource routes, and what the client's router asks for (`.data`). */
export const sessionMiddleware: MiddlewareFunction<Response> = ({ request, context }, next) =>
  withSession(sessions, request, (session) => {
    context.set(sessionContext, session);
    return next();
  });

export interface Cart {
  items: string[];
  downloaded: number;
}
export const cart = defineStore<Cart>("cart");
export const flash = defineStore<{ message: string }>("flash");

// react-router-serve lets what it answers end, and waits for connections, too, that browsers opened and never used.
function stop(): void {
  setTimeout(() => void sessions.close().finally(() => process.exit()), 2000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
