import process from "node:process";
import { createSessionManager, driverFromUrl } from "@sessions/core";
import { createApp } from "./app.ts";
import { ShopModule } from "./shop.module.ts";

const platform = process.env["PLATFORM"] === "fastify" ? "fastify" : "express";
const driver = await driverFromUrl(process.env["SESSIONS_URL"] || "memory:");
const sessions = createSessionManager({ driver });
await sessions.setup();
sessions.startSweeping({ every: "10m" });

const app = await createApp(platform, ShopModule.with(sessions));
app.enableShutdownHooks(["SIGINT", "SIGTERM"], { useProcessExit: true });
await app.listen(Number(process.env["PORT"] || 3000), "127.0.0.1");
console.log(`The shop, on ${platform}: ${(await app.getUrl()).replace("127.0.0.1", "localhost")}`);
