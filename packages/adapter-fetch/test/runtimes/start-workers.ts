import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import type { Outcome } from "./by-title.ts";
import { type Cases, env } from "./start-program.ts";

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Starts the worker, as one module, in the runtime of Workers. */
export async function startWorkers(command: string, application: string): Promise<Cases> {
  const { output } = await build({
    input: pathOf("worker.ts"),
    platform: "node",
    resolve: { conditionNames: ["@sessions/source", "import"] },
    external: /^node:/,
    // One file, as the bundler of Cloudflare's own tool writes.
    output: { codeSplitting: false },
    write: false,
  });
  const folder = await mkdtemp(join(tmpdir(), "sessions-workers-"));
  await writeFile(join(folder, "worker.js"), output[0].code);
  await copyFile(pathOf("workers.capnp"), join(folder, "workers.capnp"));
  const child = spawn(command, ["serve", join(folder, "workers.capnp"), "--control-fd=3"], {
    env,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close").then(() => rm(folder, { recursive: true }));
  const [, , stderr, control] = child.stdio;
  if (!stderr || !(control instanceof Readable)) throw new Error("There is no way to learn of the port");
  const ended = Promise.all([text(stderr), closed]).then(([errors]) => {
    throw new Error(`It ended: ${errors}`);
  });
  const [line]: string[] = await Promise.race([once(createInterface(control), "line"), ended]);
  const { port }: { port: number } = JSON.parse(line ?? "");
  return {
    async run(title) {
      const query = new URLSearchParams({ title, application });
      const response = await fetch(`http://127.0.0.1:${port}/?${query}`);
      if (!response.ok) return { title, error: await response.text() };
      const outcome: Outcome = JSON.parse(await response.text());
      return outcome;
    },
    end() {
      child.kill();
      return closed;
    },
  };
}
