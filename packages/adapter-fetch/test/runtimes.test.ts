import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Target, type TestFunction, testAdapter } from "@sessions/adapter-conformance";
import { beforeAll, describe, expect, test } from "vitest";
import { abilities, applications } from "./applications.ts";
import { type Cases, startProgram } from "./runtimes/start-program.ts";
import { startWorkers } from "./runtimes/start-workers.ts";

interface Runtime {
  readonly name: string;
  readonly command: string | undefined;
  start(command: string, application: string, ...protocol: "http2"[]): Cases | Promise<Cases>;
  /** Whether its server supports HTTP/2 without TLS. */
  readonly http2?: boolean;
  readonly exclude?: Target["exclude"];
}

const binOf = (name: string): string =>
  fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));

/** The package's own binary, because the script in `.bin` passes on no file descriptors. */
function workerd(): string | undefined {
  try {
    const { default: program }: { default: string } = createRequire(import.meta.url)("workerd");
    return program;
  } catch {
    return undefined;
  }
}

const source = "--conditions=@sessions/source";
// The permissions that the program needs, and no others.
const allowed = ["--no-remote", "--no-prompt", "--allow-read", "--allow-env", "--allow-net=127.0.0.1"];

const runtimes: Runtime[] = [
  {
    name: "Bun",
    command: binOf("bun"),
    start: (command, ...told) => startProgram(command, [source], told),
  },
  {
    name: "Deno",
    command: binOf("deno"),
    start: (command, ...told) => startProgram(command, ["run", source, ...allowed], told),
    http2: true,
  },
  {
    name: "Workers",
    command: workerd(),
    start: startWorkers,
    exclude: [
      {
        rule: "H9.1",
        reason: "the bundler of the tests writes a NODE_ENV into the program",
      },
      {
        rule: "H7.9",
        reason: "Workers sends a stream that is no FixedLengthStream without its Content-Length",
      },
    ],
  },
];

function isThere({ name, command }: Runtime): boolean {
  if (command !== undefined && spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0)
    return true;
  const missing = `${name}: its package has no program for this machine`;
  if (process.env["CI"] === "true")
    throw new Error(`The adapter must be tried in every runtime on CI, but not in ${missing}`);
  console.warn(`NOT TESTED: the adapter in ${missing}`);
  return false;
}

for (const runtime of runtimes) {
  const { name, command = "", http2 = false, exclude } = runtime;
  const there = isThere(runtime);
  for (const protocol of http2 ? [[], ["http2" as const]] : [[]])
    describe.runIf(there).each(Object.keys(applications))(
      `%s on ${name}${protocol.length > 0 ? " over HTTP/2" : ""}`,
      {
        timeout: 30_000,
      },
      (application) => {
        let cases: Cases;
        beforeAll(async () => {
          cases = await runtime.start(command, application, ...protocol);
          return () => cases.end();
        }, 60_000);

        const judged: TestFunction = Object.assign(
          (title: string) =>
            test(title, async () => {
              const { error } = await cases.run(title);
              if (error !== undefined) throw new Error(error);
            }),
          { skip: test.skip },
        );
        // The program that runs the cases starts the applications.
        const start = async (): Promise<never> => expect.unreachable();
        testAdapter({ test: judged, target: { name: application, abilities, start, exclude } });
      },
    );
}
