import { defineConfig, sessionDrivers } from "astro/config";
import config from "../../astro.config.ts";

export default defineConfig({ ...config, session: { driver: sessionDrivers.memory() } });
