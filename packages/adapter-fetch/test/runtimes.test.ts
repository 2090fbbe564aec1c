import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type TestFunction, testHttpCases } from "@sessions/http-cases";
import { afterAll, beforeAll, describe, test } from "vitest";
import { applications } from "./applications.ts";

interface Runtime {
  readonly name: string;
  readonly args: readonly string[];
  /** Whether its server speaks it without TLS. */
  readonly http2: boolean;
}

const runtimes: Runtime[] = [
  { name: "Bun", args: ["--conditions=@sessions/source"], http2: false },
  {
    name: "Deno",
    args: [
      "run",
      "--conditions=@sessions/source",
      "--no-remote",
      "--no-prompt",
      "--allow-read",
      "--allow-env",
      "--allow-net=127.0.0.1",
    ],
    http2: true,
  },
];

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const commandOf = ({ name }: Runtime): string => pathOf(`../node_modules/.bin/${name.toLowerCase()}`);

function isMissing(runtime: Runtime): boolean {
  if (spawnSync(commandOf(runtime), ["--version"], { stdio: "ignore" }).status === 0) return false;
  const missing = `${runtime.name}, whose package has no program for this machine`;
  if (process.env["CI"] === "true")
    throw new Error(`The adapter must be tried in every runtime on CI, but not in ${missing}`);
  console.warn(`NOT TESTED: the adapter in ${missing}`);
  return true;
}

/** Runs cases in a runtime: resolves with what failed of one. */
type Ask = (title: string) => Promise<string | undefined>;

/** Starts the program that runs an application's cases in a runtime, client and server both. */
function start(runtime: Runtime, application: string): { ask: Ask; end(): Promise<unknown> } {
  const child = spawn(commandOf(runtime), [...runtime.args, pathOf("runtimes/program.ts"), application], {
    // Nothing of the runner that runs this test.
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
  });
  const closed = once(child, "close");
  const ended = text(child.stderr).then((errors) => `The program ended: ${errors}`);
  // Where it ended before it was asked, that is what is told of.
  child.stdin.on("error", () => undefined);
  const waiting = new Map<string, (error: string | undefined) => void>();
  createInterface(child.stdout).on("line", (line) => {
    const { title, error }: { title: string; error?: string } = JSON.parse(line);
    waiting.get(title)?.(error);
  });
  return {
    ask(title) {
      const outcome = new Promise<string | undefined>((resolve) => waiting.set(title, resolve));
      child.stdin.write(`${title}\n`);
      return Promise.race([outcome, ended]);
    },
    end() {
      child.stdin.end();
      return closed;
    },
  };
}

for (const runtime of runtimes) {
  const on = describe.skipIf(isMissing(runtime));
  on.each(Object.keys(applications))(`%s on ${runtime.name}`, { timeout: 30_000 }, (application) => {
    let program: ReturnType<typeof start>;
    beforeAll(() => {
      program = start(runtime, application);
    });
    afterAll(() => program.end());

    const judged: TestFunction = Object.assign(
      (title: string) =>
        test(title, async () => {
          const error = await program.ask(title);
          if (error !== undefined) throw new Error(error);
        }),
      { skip: test.skip },
    );
    const elsewhere = async (): Promise<never> => {
      throw new Error("the program starts it");
    };
    testHttpCases({ test: judged, start: elsewhere, ...(runtime.http2 && { http2: elsewhere }) });
  });
}
