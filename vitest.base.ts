import process from "node:process";
import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig, type ViteUserConfig } from "vitest/config";

export const reporters: string[] = [
  "default",
  "@sessions/test-services/reporter",
  fileURLToPath(new URL("./packages/adapter-conformance/test/table/reporter.ts", import.meta.url)),
  fileURLToPath(new URL("./tools/count-reporter.ts", import.meta.url)),
];

/** What takes long, or much of the machine, has it in its name: `pnpm test` leaves it out, `pnpm test:rest` runs it. */
const long = "test/**/*.long.test.ts";

/** How much is to be run. vitest by hand runs all that it is asked for; the commands of tools/test.mjs say less. */
export const level: string = process.env["SESSIONS_TEST_LEVEL"] ?? "all";
/** What takes longest of the packages of the quick level: other runtimes and processes, and tables of many cases. */
const notQuick = [
  ...["runtimes", "head", "garbage", "races", "under-fire", "responses-in-any-order"],
  ...["driver-from-url", "cli/main"],
].map((name) => `test/${name}.test.ts`);
const files: Record<string, ViteUserConfig["test"]> = {
  quick: {
    // Half of a quick run would be the start of a worker for each file.
    isolate: false,
    exclude: [...configDefaults.exclude, long, ...notQuick],
    setupFiles: [fileURLToPath(new URL("./packages/conformance/test/quick-setup.ts", import.meta.url))],
  },
  usual: { exclude: [...configDefaults.exclude, long] },
  rest: { include: [long] },
  all: {},
};
if (!(level in files))
  throw new Error(`SESSIONS_TEST_LEVEL is ${Object.keys(files).join(", ")}; got ${JSON.stringify(level)}`);

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
    // A test's time limit ends what hangs. It is long, because a busy machine must not make a test fail.
    test: { name, include: ["test/**/*.test.ts"], testTimeout: 30_000, reporters, ...files[level], ...test },
  });
}
