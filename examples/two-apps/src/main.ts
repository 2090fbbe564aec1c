import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createSessionManager, driverFromUrl, isSessionError } from "@sessions/core";
import { createSite } from "./site.ts";

// An empty variable counts as not set. Files need nothing installed, and outlive the program.
const files = new URL("../.sessions/", import.meta.url);
const url = process.env["SESSIONS_URL"] || files.href;
const port = Number(process.env["PORT"] || 0);
const host = process.env["HOST"] || "127.0.0.1";

/** Prints an error that the user can fix as a sentence, and any other with its stack. */
function fail(error: unknown): never {
  console.error(isSessionError(error) ? error.message : error);
  process.exit(1);
}

const driver = await driverFromUrl(url).catch(fail);
const sessions = createSessionManager({
  driver,
  // Short, and moved at nearly every click, so that the foot of the page shows a change.
  idle: "30m",
  touchEvery: "10s",
});
await sessions.setup().catch(fail);
sessions.startSweeping({ every: "10m" });

const server = createServer(createSite(sessions));

let stopping = false;
// A browser keeps its connection open after the last response.
server.on("request", (req, res) => res.on("close", () => stopping && req.socket.destroySoon()));

/** Finishes open responses within five seconds and closes everything. Then the process ends. */
function stop(): void {
  // Ctrl-C arrives twice if a parent process passes it on.
  if (stopping) return;
  stopping = true;
  server.close(() => void sessions.close().catch(fail));
  setTimeout(() => server.closeAllConnections(), 5000).unref();
}
process.on("SIGINT", stop);
process.on("SIGTERM", stop);

const others =
  "SESSIONS_URL=redis://localhost:6379 picks another backend: mysql:, postgres:, mongodb:, dynamodb:, sqlite:, memory:";
const kept =
  url === files.href
    ? `files (${fileURLToPath(files)}), so stop it and start it: you are still signed in\n                          ${others}`
    : driver.name;

server.on("error", fail);
server.listen({ port, host }, () => {
  const { port } = server.address() as AddressInfo;
  console.log(`
  Two apps, one session:  http://${host}:${port}
  Sessions are kept in:   ${kept}

  - Put something into the cart, then sign in: the cart comes along.
  - Write two drafts in two tabs at once: neither is lost.
  - Sign in from a second browser too, and log out everywhere in the first.
  - Order, and sign out in another tab before the payment is through.

  Ctrl-C ends it.
`);
});
