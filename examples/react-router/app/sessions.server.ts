import process from "node:process";
import { createSessionManager, defineStore, driverFromUrl, type Session } from "@sessions/core";
import { createContext } from "react-router";

// One variable chooses the backend, whose driver is a package to install: redis://localhost:6379, for example.
const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
export const sessions = createSessionManager({ driver });
await sessions.setup(); // a backend's tables; nothing in memory
sessions.startSweeping({ every: "10m" });

// react-router-serve lets what it answers end, and waits for connections, too, that browsers opened and never used.
function stop(): void {
  setTimeout(() => void sessions.close().finally(() => process.exit()), 2000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);

/** Where the root's middleware puts the session of a request, for loaders and actions. */
export const sessionContext = createContext<Session>();

export interface Cart {
  items: string[];
  downloaded: number;
}
export const cart = defineStore<Cart>("cart");
export const flash = defineStore<{ message: string }>("flash");
