import type { AddressInfo } from "node:net";
import process from "node:process";
import { createSessionManager, driverFromUrl } from "@sessions/core";
import { createShop } from "./shop.ts";

const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup(); // makes a backend's tables; does nothing for memory
sessions.startSweeping({ every: "10m" });

const { server, close } = createShop(sessions, { checkEvery: Number(process.env["CHECK_EVERY"] || 30_000) });
server.listen(Number(process.env["PORT"] || 3000), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`By ws: http://localhost:${port}  By Socket.IO: http://localhost:${port}/socket-io`);
});

function stop(): void {
  server.once("close", async () => {
    await sessions.close();
    // Everything is closed, but Socket.IO would still wait half a minute for a polling client that is gone.
    process.exit();
  });
  close();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
