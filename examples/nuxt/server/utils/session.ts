import { createSessionManager, defineStore, type Session } from "@sessions/core";

export const cart = defineStore<{ items: string[]; downloaded: number }>("cart");

// In memory; give it a driver. Its table is made at the first use.
export const sessions = createSessionManager();
sessions.startSweeping({ every: "10m" });

declare module "h3" {
  interface H3EventContext {
    session: Session;
  }
}
