import type { ViteUserConfig } from "vitest/config";
import { project } from "../../vitest.base.ts";

const config: ViteUserConfig = {
  ...project("adapter-node"),
  // Vitest gives these to Node too, and with "import" among them require() finds ES modules: Express 5 does not survive it.
  ssr: { resolve: { conditions: ["@sessions/source"] } },
};

export default config;
