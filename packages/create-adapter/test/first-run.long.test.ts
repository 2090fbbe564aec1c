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
/** The tarballs of this repository that it uses. */
let packed: string[];

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

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "create-adapter-"));
  created = join(folder, "sessions-adapter-hapi");
  await writeFile(join(folder, "package.json"), '{ "private": true }');
  const [core, kit, command] = await Promise.all(
    ["core", "adapter-conformance", "create-adapter"].map(async (name) => {
      const one = publishable().find((other) => other.name === `@sessions/${name}`);
      assert(one, `packages/${name} is not there`);
      return pack(one, folder);
    }),
  );
  assert(core && kit && command);
  packed = [core, kit];
  // What npm fetches for `npm create @sessions/adapter` is there already, so it takes that.
  const installed = await npm(folder, "install", "--no-audit", "--no-fund", command);
  expect(installed.status, installed.output).toBe(0);
  const made = await npm(folder, "create", "@sessions/adapter", "hapi");
  expect(made, "pnpm build makes the command").toMatchObject({
    status: 0,
    output: expect.stringContaining("cd sessions-adapter-hapi"),
  });
  const ready = await npm(created, "install", "--no-audit", "--no-fund", "--no-save", ...packed);
  expect(ready.status, ready.output).toBe(0);
}, 180_000); // npm fetches vitest and the others; a slow network is no fault of ours

afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([
  [["../hapi"], 2, 'got "../hapi"'],
  [[], 2, "A name is missing"],
  [["hapi"], 1, "sessions-adapter-hapi exists"],
])("npm create @sessions/adapter with %j ends with status %i and says why", async (args, status, said) => {
  const outcome = await npm(folder, "create", "@sessions/adapter", ...args);
  expect(outcome).toEqual({ status, output: expect.stringContaining(said) });
});

test.each(["types", "build"])(
  "before a step is written npm run %s passes",
  async (script) => {
    expect(await npm(created, "run", script)).toMatchObject({ status: 0 });
  },
  60_000,
);

test("before a step is written npm test fails on that alone, and names promises of SPEC.md", async () => {
  const { status, outcomes } = await npmTest();
  expect(status).toBe(1);
  const failed = outcomes.filter((one) => one.status === "failed");
  for (const { title, failureMessages } of failed) {
    const [message = ""] = failureMessages;
    const [, ...promises] =
      /\bstart is not written yet: it must .+ \((H\d+) to (H\d+) in https:\S+\/SPEC\.md\)/.exec(message) ??
      expect.fail(`${title}: ${message}`);
    for (const promise of promises) expect(spec, title).toContain(`\n### ${promise} `);
  }
  expect(failed.length).toBeGreaterThan(outcomes.length / 2);
}, 60_000);

test("with the adapter of the guide npm test passes, and npm run conformance writes the badge", async () => {
  // What the guide's reader has at its end.
  for (const file of ["src/index.ts", "test/target.ts"])
    await writeFile(
      join(created, file),
      await readFile(new URL(`../../../examples/custom-adapter/${file}`, import.meta.url), "utf8"),
    );
  const hapi = await npm(
    created,
    "install",
    "--no-audit",
    "--no-fund",
    "--no-save",
    "@hapi/hapi@21",
    "@hapi/boom@10",
    ...packed,
  );
  expect(hapi.status, hapi.output).toBe(0);
  expect(await npm(created, "run", "types")).toMatchObject({ status: 0 });

  const { status, outcomes } = await npmTest();
  const failed = outcomes.filter((one) => one.status === "failed");
  expect({ status, failed }).toEqual({ status: 0, failed: [] });
  expect(outcomes.filter((one) => one.status === "passed").length).toBeGreaterThan(outcomes.length / 2);

  const report = await npm(created, "run", "conformance", "--", "--out", ".");
  expect(report.status, report.output).toBe(0);
  expect(await readFile(join(created, "conformance.svg"), "utf8")).toContain("clauses");
}, 180_000); // npm fetches hapi
