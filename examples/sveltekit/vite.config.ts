import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig, type UserConfig } from "vite";

const config: UserConfig = defineConfig({ plugins: [sveltekit({ adapter: adapter() })] });

export default config;
