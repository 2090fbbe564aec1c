import process from "node:process";
import node from "@astrojs/node";
import { defineConfig } from "astro/config";

// Turns Astro's telemetry off. Here it works on every system.
process.env["ASTRO_TELEMETRY_DISABLED"] = "1";

export default defineConfig({
  output: "server",
  adapter: node({ mode: "standalone" }),
});
