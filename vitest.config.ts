import { defineConfig, type ViteUserConfig } from "vitest/config";
import { project, reporters } from "./vitest.base.ts";

const config: ViteUserConfig = defineConfig({
  // The last project is the root's own test/: what holds for the repository as a whole.
  test: { projects: ["{packages,examples,tools}/*/vitest.config.ts", project("repository")], reporters },
});

export default config;
