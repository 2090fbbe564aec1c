import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";

/** The folder of the sessions, with one folder below it for old sessions and one for new ones. */
export const folder: string = process.env["SESSIONS_FOLDER"] || ".sessions";

/** The old site's secret for its cookies. */
export const secret: string = process.env["SESSION_SECRET"] || "a secret for trying it out, and nothing else";

/** How long the old cookies live after their last use. After this time, the option `adopt` can be removed. */
export const COOKIE_MS: number = 14 * 24 * 3_600_000;

export const port: number = Number(process.env["PORT"] || 3000);

/** Prints the site's address, and ends the site on SIGINT and SIGTERM. */
export function run(server: Server): void {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
  const stop = (): void => {
    server.close();
    // Browsers keep unused connections open.
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
