import { defineStore, type Session, type StoreDefinition } from "@sessions/core";

/** The site's own part of the session: what is to be told on the next page, whichever that is. */
export const flashes: StoreDefinition<{ messages: string[] }> = defineStore("flash");

export function flash(session: Session, message: string): void {
  session.store(flashes).update("messages", (messages = []) => [...messages, message]);
}

/** What there is to tell, once. */
export function takeFlashes(session: Session): string[] {
  return session.store(flashes).take("messages") ?? [];
}
