import { defineConfig, type UserConfig } from "tsdown";

const config: UserConfig = defineConfig({
  entry: ["src/main.ts"],
  platform: "node",
  target: "node20.19",
  dts: false,
  fixedExtension: false,
});

export default config;
