import { fileURLToPath } from "node:url";
import type { Result } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { Miniflare, Response } from "miniflare";
import { build } from "rolldown";
import { afterAll, describe, test } from "vitest";

const { output } = await build({
  input: fileURLToPath(new URL("workers/worker.ts", import.meta.url)),
  platform: "node",
  resolve: { conditionNames: ["@sessions/source", "import"] },
  external: [/^node:/, "better-sqlite3"],
  // One file, as the bundler of Cloudflare's own tool writes.
  output: { codeSplitting: false },
  write: false,
});
const common = {
  modules: true as const,
  script: output[0].code,
  // With this date the runtime has no node:fs, which the driver must not need here.
  compatibilityDate: "2025-01-01",
  compatibilityFlags: ["nodejs_compat"],
  durableObjects: { OBJECTS: { className: "KitObject", useSQLite: true } },
  d1Databases: { DB: "sessions" },
};
const backend = new Miniflare(common);
const proxy = await startProxy((await backend.ready).origin);
const orders: Record<string, () => Promise<void>> = {
  "/cut": proxy.cut,
  "/restore": proxy.restore,
  "/drop": proxy.drop,
};
const application = new Miniflare({
  ...common,
  serviceBindings: {
    LINE: { external: { address: `${proxy.host}:${proxy.port}`, http: {} } },
    async CONTROL(request) {
      await orders[new URL(request.url).pathname]?.();
      return new Response();
    },
  },
});
afterAll(async () => {
  await application.dispose();
  await proxy.close();
  await backend.dispose();
});

async function runKit(path: string): Promise<Result[]> {
  const response = await application.dispatchFetch(`http://application/kit/${path}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text);
}

for (const [name, path] of [
  ["Cloudflare D1", "d1"],
  ["Cloudflare D1, a line that breaks", "d1-line"],
  ["a Durable Object's sql", "object"],
] as const) {
  const results = await runKit(path);
  describe(`sqlite: ${name}`, () => {
    for (const { rule, title, status, error } of results)
      test.skipIf(status === "skipped")(`${rule} ${title}`, () => {
        if (status === "failed") throw new Error(`In a Worker: ${String(error)}`);
      });
  });
}
