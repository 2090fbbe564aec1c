import { defineConfig } from "tsdown";

export default defineConfig({
  entry: ["src/index.ts", "src/adapter-tools.ts", "src/driver-tools.ts", "src/memory.ts"],
  platform: "node",
  target: "node20.19",
  dts: true,
  fixedExtension: false,
});
