import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pack, publishable } from "../../../tools/publishable.mjs";

const run = promisify(execFile);
const shell = process.platform === "win32"; // npm is a .cmd file there
const spec = await readFile(new URL("../../../SPEC.md", import.meta.url), "utf8");
// What a stranger's terminal does not have: vitest in vitest would take itself for a worker of the outer one.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));

/** Somebody's empty folder, and the package that the command makes in it, from the tarballs as they are published. */
let folder: string;
let created: string;

async function npm(cwd: string, ...args: string[]): Promise<{ status: number; output: string }> {
  try {
    const { stdout, stderr } = await run("npm", args, { cwd, env, shell, maxBuffer: 64 * 1024 * 1024 });
    return { status: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = Object(error);
    if (typeof code !== "number") throw error;
    return { status: code, output: stdout + stderr };
  }
}

interface Outcome {
  title: string;
  status: string;
  failureMessages: string[];
}

async function npmTest(): Promise<{ status: number; outcomes: Outcome[] }> {
  const { status, output } = await npm(created, "test", "--", "--reporter=json", "--outputFile=results.json");
  const text = await readFile(join(created, "results.json"), "utf8").catch(() => expect.fail(output));
  const { testResults }: { testResults: { assertionResults: Outcome[] }[] } = JSON.parse(text);
  return { status, outcomes: testResults.flatMap(({ assertionResults }) => assertionResults) };
}

/** The file with the memory driver's methods where the stubs are, each called with the stub's own parameters. */
function withMemory(source: string): string {
  const parameters = new Map<string, string>();
  for (const [, method = "", list = ""] of source.matchAll(/^ {4}async (\w+)\((.*)\) \{$/gm))
    parameters.set(method, list);
  const written = source
    .replace(/throw notWritten\(\s*"(\w+)",[^;]*\);/g, (_, method) => {
      return `return memoryOf(prefix).${method}(${parameters.get(method)});`;
    })
    .replace(/^import \{ notWritten \}.*$/m, 'import { memoryDriver } from "@sessions/core/memory";');
  return `${written}
const memories = new Map<string, ListingDriver>();
function memoryOf(prefix: string): ListingDriver {
  const memory = memories.get(prefix) ?? memoryDriver();
  memories.set(prefix, memory);
  return memory;
}
`;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "create-driver-"));
  created = join(folder, "sessions-driver-level-db");
  await writeFile(join(folder, "package.json"), '{ "private": true }');
  const [core, kit, command] = await Promise.all(
    ["core", "conformance", "create-driver"].map(async (name) => {
      const one = publishable().find((other) => other.name === `@sessions/${name}`);
      assert(one, `packages/${name} is not there`);
      return pack(one, folder);
    }),
  );
  assert(core && kit && command);
  // What npm fetches for `npm create @sessions/driver` is there already, so it takes that.
  const installed = await npm(folder, "install", "--no-audit", "--no-fund", command);
  expect(installed.status, installed.output).toBe(0);
  const made = await npm(folder, "create", "@sessions/driver", "level-db");
  expect(made, "pnpm build makes the command").toMatchObject({
    status: 0,
    output: expect.stringContaining("cd sessions-driver-level-db"),
  });
  const ready = await npm(created, "install", "--no-audit", "--no-fund", "--no-save", core, kit);
  expect(ready.status, ready.output).toBe(0);
}, 180_000); // npm fetches vitest and the others; a slow network is no fault of ours

afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  [["../level-db"], 2, 'got "../level-db"'],
  [[], 2, "A name is missing"],
  [["level-db"], 1, "sessions-driver-level-db exists"],
])("npm create @sessions/driver with %j ends with status %i and says why", async (args, status, said) => {
  const outcome = await npm(folder, "create", "@sessions/driver", ...args);
  expect(outcome).toEqual({ status, output: expect.stringContaining(said) });
});

test.each(["types", "build"])(
  "before a method is written npm run %s passes",
  async (script) => {
    expect(await npm(created, "run", script)).toMatchObject({ status: 0 });
  },
  60_000,
);

test("before a method is written npm test fails on that alone, and names methods and rules of SPEC.md", async () => {
  const { status, outcomes } = await npmTest();
  expect(status).toBe(1);
  const failed = outcomes.filter((one) => one.status === "failed");
  const named = failed.map(({ title, failureMessages: [message = ""] }) => {
    const [, method, first, last] =
      /\b(\w+) is not written yet: it must .+ \((R\d+)(?: to (R\d+))? in https:\S+\/SPEC\.md\)/.exec(
        message,
      ) ?? expect.fail(`${title}: ${message}`);
    for (const rule of [first, last]) if (rule !== undefined) expect(spec, title).toContain(`\n### ${rule} `);
    return method;
  });
  expect(named).toEqual(expect.arrayContaining(["create", "load", "commit", "list"]));
  expect(failed.length).toBeGreaterThan(outcomes.length / 2);
}, 60_000);

test("with all methods written npm test and npm run conformance pass", async () => {
  const index = join(created, "src/index.ts");
  await writeFile(index, withMemory(await readFile(index, "utf8")));
  expect(await npm(created, "run", "types")).toMatchObject({ status: 0 });

  const { status, outcomes } = await npmTest();
  const failed = outcomes.filter((one) => one.status === "failed");
  expect({ status, failed }).toEqual({ status: 0, failed: [] });
  // Nobody has said how to cut the backend off, nor what there is to set up.
  const skipped = outcomes.filter((one) => one.status !== "passed").map(({ title }) => title.split(".")[0]);
  expect(new Set(skipped)).toEqual(new Set(["R11", "R12"]));

  const report = await npm(created, "run", "conformance");
  expect(report.status, report.output).toBe(0);
}, 120_000);
