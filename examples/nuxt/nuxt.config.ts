import { defineNuxtConfig } from "nuxt/config";

export default defineNuxtConfig({
  compatibilityDate: "2026-11-01",
  telemetry: false,
  // The page needs no scripts.
  features: { noScripts: true },
});
