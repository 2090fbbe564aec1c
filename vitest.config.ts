import { availableParallelism } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { level, project, reporters } from "./vitest.base.ts";

/** What needs no server, no browser and no other runtime. */
const quick =
  "packages/{core,conformance,adapter-conformance,adapter-node,adapter-fetch,driver-sqlite}/vitest.config.ts";
// The last project is the root's own test/: what holds for the repository as a whole.
const all = ["{packages,tools}/*/vitest.config.ts", project("repository")];

const config: ViteUserConfig = defineConfig({
  test: {
    projects: level === "quick" ? [quick] : all,
    reporters,
    // vitest's own choice leaves a core idle, though most tests wait for a server: two files share two cores well.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});

export default config;
