import process from "node:process";
import { createSessionManager, defineStore, driverFromUrl } from "@sessions/core";
import { building } from "$app/env";

// One variable chooses the backend, such as redis://localhost:6379. Install the driver's package. A build
// runs this too, and needs no backend.
const driver = await driverFromUrl((!building && process.env["SESSIONS_URL"]) || "memory:");
export const sessions = createSessionManager({ driver });
await sessions.setup(); // makes a backend's tables; does nothing for memory
sessions.startSweeping({ every: "10m" });
process.once("sveltekit:shutdown", () => void sessions.close());

export interface Cart {
  items: string[];
  downloaded: number;
}
export const cart = defineStore<Cart>("cart");
