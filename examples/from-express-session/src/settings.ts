import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";

/** Where the sessions are; below it the old ones and the new ones each have a folder. */
export const folder: string = process.env["SESSIONS_FOLDER"] || ".sessions";

/** What the old site signs its cookies with. */
export const secret: string = process.env["SESSION_SECRET"] || "a secret for trying it out, and nothing else";

/** The old cookies live so long after their last use. The option `adopt` can go when this has passed. */
export const COOKIE_MS: number = 14 * 24 * 3_600_000;

export const port: number = Number(process.env["PORT"] || 3000);

/** Says where the site is, and ends it when it is told to. */
export function run(server: Server): void {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
  const stop = (): void => {
    server.close();
    // Browsers keep connections open that they never used.
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
