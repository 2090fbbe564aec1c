export { default } from "../../astro.config.ts";
