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
  server.once("close", async () => {
    await sessions.close();
    // Nothing is open any more. For a client that polled and is gone, Socket.IO would wait half a minute all the same.
    process.exit();
  });
  close();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
