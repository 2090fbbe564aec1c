import process from "node:process";
import type { NextConfig } from "next";

// Turns Next's telemetry off. Here it works on every system.
process.env["NEXT_TELEMETRY_DISABLED"] = "1";

const config: NextConfig = {
  // Node loads these packages, and Next does not bundle them. (In this repository it does, because they are links.)
  serverExternalPackages: ["@sessions/core", "@sessions/driver-file"],
};

export default config;
