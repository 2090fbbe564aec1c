import { createSessionManager, defineStore, driverFromUrl, type Session } from "@sessions/core";
import { cookies, headers } from "next/headers";
import { cache } from "react";

export const cart = defineStore<{ items: string[]; downloaded: number }>("cart");

// Use files and not memory. Next may load this module more than once, and each copy would have its own memory.
const url = process.env["SESSIONS_URL"] || "file:.sessions";
export const sessions = createSessionManager({ driver: await driverFromUrl(url) });

async function openSession(): Promise<Session> {
  // Do not read the Cookie header. Only cookies() has what an action has set in the same request.
  const cookieHeader = (await cookies()).toString();
  const crossSite = (await headers()).get("Sec-Fetch-Site") === "cross-site";
  return sessions.open(cookieHeader, { crossSite });
}

/** For rendering, once a request. Rendering sets no cookie, so a login or a visitor's first write throws. */
export const readSession = cache(async () => {
  const session = await openSession();
  await session.commit({ seal: true });
  return session;
});

/** For server actions. It commits and sets the cookie. Redirect after it, because redirect() throws. */
export async function changeSession<T>(change: (session: Session) => T | Promise<T>): Promise<T> {
  const session = await openSession();
  const result = await change(session);
  const { cookie } = await session.commit({ seal: true });
  if (cookie) (await cookies()).set(cookie);
  return result;
}
