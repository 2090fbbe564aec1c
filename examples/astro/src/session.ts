import process from "node:process";
import { createSessionManager, defineStore, driverFromUrl } from "@sessions/core";

export const cart = defineStore<{ items: string[]; downloaded: number }>("cart");

const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
export const sessions = createSessionManager({ driver });
await sessions.setup(); // makes a backend's tables; does nothing for memory
sessions.startSweeping({ every: "10m" });
