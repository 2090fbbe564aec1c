import process from "node:process";
import node from "@astrojs/node";
import { defineConfig } from "astro/config";

// Astro's own switch, which on every system can be set here.
process.env["ASTRO_TELEMETRY_DISABLED"] = "1";

export default defineConfig({
  output: "server",
  adapter: node({ mode: "standalone" }),
});
