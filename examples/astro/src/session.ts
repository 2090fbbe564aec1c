import process from "node:process";
import { createSessionManager, defineStore, driverFromUrl } from "@sessions/core";

export const cart = defineStore<{ items: string[]; downloaded: number }>("cart");
export const flash = defineStore<{ message: string }>("flash");

const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
export const sessions = createSessionManager({ driver });
await sessions.setup(); // a backend's tables; nothing in memory
sessions.startSweeping({ every: "10m" });
