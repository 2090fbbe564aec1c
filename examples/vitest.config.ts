import { defineConfig, type ViteUserConfig } from "vitest/config";
import { reporters } from "../vitest.base.ts";

const config: ViteUserConfig = defineConfig({ test: { projects: ["*/vitest.config.ts"], reporters } });

export default config;
