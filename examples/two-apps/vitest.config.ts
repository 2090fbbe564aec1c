import type { ViteUserConfig } from "vitest/config";
import { project } from "../../vitest.base.ts";

const config: ViteUserConfig = {
  ...project("two-apps", {
    globalSetup: ["@sessions/test-services/browser-setup"],
    // A hundred requests or a browser take their time on a busy machine; no test waits for this to pass.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  }),
  // Vitest gives these to Node too, and with "import" among them require() finds ES modules, which Express 5 does not survive.
  ssr: { resolve: { conditions: ["@sessions/source"] } },
};

export default config;
