import { createSessionManager, defineStore, driverFromUrl, type Session } from "@sessions/core";
import { cookies, headers } from "next/headers";
import { cache } from "react";

export const cart = defineStore<{ items: string[]; downloaded: number }>("cart");
export const flash = defineStore<{ message: string }>("flash");

// Files, not memory: Next may load this module more than once, and each would have a memory of its own.
const url = process.env["SESSIONS_URL"] || "file:.sessions";
export const sessions = createSessionManager({ driver: await driverFromUrl(url) });

async function openSession(): Promise<Session> {
  // Not the Cookie header: what an action has set is only here when the page is rendered in its response.
  const cookieHeader = (await cookies()).toString();
  const crossSite = (await headers()).get("Sec-Fetch-Site") === "cross-site";
  return sessions.open(cookieHeader, { crossSite });
}

/** For rendering, once a request. No cookie can be set there: a login or the first write of a visitor throws. */
export const readSession = cache(async () => {
  const session = await openSession();
  await session.commit({ seal: true });
  return session;
});

/** For server actions: committed, and its cookie set, when it returns. Redirect after it, for redirect() throws. */
export async function changeSession<T>(change: (session: Session) => T | Promise<T>): Promise<T> {
  const session = await openSession();
  const result = await change(session);
  const { cookie } = await session.commit({ seal: true });
  if (cookie) (await cookies()).set(cookie);
  return result;
}
