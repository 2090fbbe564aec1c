import process from "node:process";
import { withSession } from "@sessions/adapter-fetch";
import { createSessionManager, defineStore, driverFromUrl, type Session } from "@sessions/core";
import { createContext, type MiddlewareFunction } from "react-router";

// One variable chooses the backend, such as redis://localhost:6379. Install the driver's package.
const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup(); // makes a backend's tables; does nothing for memory
sessions.startSweeping({ every: "10m" });

/** Loaders and actions find the session of their request here. */
export const sessionContext = createContext<Session>();

/** The root's middleware. It wraps pages, actions, resource routes, and requests of the client's router (`.data`). */
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

// react-router-serve finishes its responses, but also waits for connections that browsers opened and never used.
function stop(): void {
  setTimeout(() => void sessions.close().finally(() => process.exit()), 2000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
