import type { AddressInfo } from "node:net";
import process from "node:process";
import { createSessionManager, driverFromUrl } from "@sessions/core";
import { createShop } from "./shop.ts";

const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup(); // a backend's tables; nothing in memory
sessions.startSweeping({ every: "10m" });

const { server, close } = createShop(sessions, { checkEvery: Number(process.env["CHECK_EVERY"] || 30_000) });
server.listen(Number(process.env["PORT"] || 3000), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`By ws: http://localhost:${port}  By Socket.IO: http://localhost:${port}/socket-io`);
});

function stop(): void {
  server.once("close", () => void sessions.close());
  close();
  // Under load the program has been seen to stay: nobody who restarts a server waits for what it has open.
  setTimeout(() => process.exit(), 5000).unref();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
