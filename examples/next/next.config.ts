import process from "node:process";
import type { NextConfig } from "next";

// Next's own switch, which on every system can be set here.
process.env["NEXT_TELEMETRY_DISABLED"] = "1";

const config: NextConfig = {
  // Loaded by Node as they are, not bundled. (In this repository they are bundled all the same: they are links.)
  serverExternalPackages: ["@sessions/core", "@sessions/driver-file"],
};

export default config;
