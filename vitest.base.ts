import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

export const reporters: string[] = [
  "default",
  "@sessions/test-services/reporter",
  fileURLToPath(new URL("./packages/http-cases/src/reporter.ts", import.meta.url)),
  fileURLToPath(new URL("./tools/count-reporter.ts", import.meta.url)),
];

/**
 * The vitest project of one package. Every package has a vitest.config.ts of its own: from inside a package vitest
 * would otherwise find the root's, with its `projects`.
 */
export function project(name: string, test: ViteUserConfig["test"] = {}): ViteUserConfig {
  return defineConfig({
    // Other packages of the workspace are read from their source, so that no test sees a stale dist. Vitest hands these
    // to Node too: with "import" among them require() would find ES modules, which Express 5 does not survive.
    ssr: { resolve: { conditions: ["@sessions/source"] } },
    // The reporters count where a package is tested by itself; in a run of the root, the root's do.
    test: { name, include: ["test/**/*.test.ts"], reporters, ...test },
  });
}
