import { defineStore, type Session, type StoreDefinition } from "@sessions/core";

/** The site's own part of the session: messages for the next page, of either application. */
export const flashes: StoreDefinition<{ messages: string[] }> = defineStore("flash");

export function flash(session: Session, message: string): void {
  session.store(flashes).update("messages", (messages = []) => [...messages, message]);
}

/** Returns the messages, and removes them. */
export function takeFlashes(session: Session): string[] {
  return session.store(flashes).take("messages") ?? [];
}
