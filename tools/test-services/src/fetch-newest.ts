// `pnpm --filter @sessions/test-services newest` fetches the newest servers, or says in a sentence what is missing.
import process from "node:process";
import { fetchNewest } from "./newest.ts";

try {
  fetchNewest();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
