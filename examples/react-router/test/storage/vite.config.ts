import { reactRouter } from "@react-router/dev/vite";
import { defaultServerConditions, defineConfig, type UserConfig } from "vite";

const config: UserConfig = defineConfig({
  plugins: [reactRouter()],
  // Use the source of every package, so that no test sees a stale dist.
  ssr: { resolve: { conditions: ["@sessions/source", ...defaultServerConditions] } },
});

export default config;
