import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ENVIRONMENT } from "../src/environment.ts";
import { type Report, type Result, runConformance } from "../src/index.ts";
import { memoryTarget } from "./targets.ts";

type Status = Result["status"];
/** What a runner said of each test, by its title without the reason of a skip. */
type Outcomes = Record<string, Status>;

interface Runner {
  readonly name: string;
  /** What makes it write for machines: to its standard output, or to `file`. */
  readonly args: (file: string) => readonly string[];
  readonly read: (output: string, file: string) => Outcomes;
  /** Whether it can show as skipped what was found not to apply while it ran. */
  readonly showsLateSkips: boolean;
}

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "sessions-runners-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

const withoutReason = (title: string): string => title.replace(/ \(skipped: .*\)$/, "");

/** The JSON of jest, which vitest writes too. */
function readJest(output: string): Outcomes {
  const { testResults }: { testResults: { assertionResults: { title: string; status: string }[] }[] } =
    JSON.parse(output);
  return Object.fromEntries(
    testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .map(({ title, status }) => [
        withoutReason(title),
        status === "passed" || status === "failed" ? status : "skipped",
      ]),
  );
}

function readMocha(output: string): Outcomes {
  const report: Record<"passes" | "failures" | "pending", { title: string }[]> = JSON.parse(output);
  const all = (tests: { title: string }[], status: Status): Outcomes =>
    Object.fromEntries(tests.map(({ title }) => [withoutReason(title), status]));
  return {
    ...all(report.passes, "passed"),
    ...all(report.failures, "failed"),
    ...all(report.pending, "skipped"),
  };
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function readJunit(output: string): Outcomes {
  const outcomes: Outcomes = {};
  for (const part of output.split("<testcase ").slice(1)) {
    const name = /\bname="([^"]*)"/.exec(part)?.[1] ?? "";
    const title = name.replace(/&(\w+);/g, (entity, its: string) => ENTITIES[its] ?? entity);
    outcomes[withoutReason(title)] = part.includes("<failure")
      ? "failed"
      : part.includes("<skipped")
        ? "skipped"
        : "passed";
  }
  return outcomes;
}

const runners: Runner[] = [
  { name: "vitest", args: () => ["--reporter=json"], read: readJest, showsLateSkips: true },
  { name: "jest", args: () => ["--json"], read: readJest, showsLateSkips: false },
  { name: "node", args: () => ["--test-reporter=junit"], read: readJunit, showsLateSkips: true },
  { name: "mocha", args: () => ["--reporter=json"], read: readMocha, showsLateSkips: true },
  {
    name: "bun",
    args: (file) => ["--reporter=junit", `--reporter-outfile=${file}`],
    read: (_, file) => readJunit(readFileSync(file, "utf8")),
    showsLateSkips: false,
  },
];

const folderOf = (name: string): string => fileURLToPath(new URL(`./runners/${name}`, import.meta.url));

/** Runs the `test` script of a runner's project. */
async function run({ name, args, read }: Runner, env: NodeJS.ProcessEnv = {}) {
  const cwd = folderOf(name);
  const { scripts }: { scripts: { test: string } } = JSON.parse(
    readFileSync(join(cwd, "package.json"), "utf8"),
  );
  const [program = "", ...rest] = scripts.test.split(" ");
  const file = join(scratch, `${name}.xml`);
  const child = spawn(
    program === "node" ? process.execPath : join(cwd, "node_modules/.bin", program),
    [...rest, ...args(file)],
    {
      cwd,
      // Nothing of the runner that runs this test: vitest inside vitest would take it for a worker of its own.
      env: {
        PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`,
        HOME: process.env["HOME"],
        TMPDIR: tmpdir(),
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, for what it starts itself must end with it.
      detached: true,
    },
  );
  onTestFinished(() => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, outcomes: () => read(output, file), output: output + errors };
}

let withoutRunner: Promise<Report> | undefined;

/** What the same source says without a runner. */
async function expected({ showsLateSkips }: Runner): Promise<Outcomes> {
  withoutRunner ??= runConformance(memoryTarget());
  const { results } = await withoutRunner;
  const clauses = results.map(({ rule, title, status }): [string, Status] => {
    const late = title.includes("(skipped: the driver ") && !showsLateSkips;
    return [`${rule} ${withoutReason(title)}`, late ? "passed" : status];
  });
  return { [ENVIRONMENT]: "passed", ...Object.fromEntries(clauses) };
}

const bunRuns =
  spawnSync(join(folderOf("bun"), "node_modules/.bin/bun"), ["--version"], { stdio: "ignore" }).status === 0;
if (!bunRuns) {
  const missing = "bun, an optional dependency, could not be installed";
  if (process.env["CI"] === "true")
    throw new Error(`The kit must be tried in every runner on CI, but ${missing}`);
  console.warn(`NOT TESTED: the kit in bun; ${missing}`);
}

describe.each(runners)("in $name", { timeout: 60_000 }, (runner) => {
  const tried = test.skipIf(runner.name === "bun" && !bunRuns);

  tried("every clause is a test, and comes out as without a runner", async () => {
    const { code, outcomes, output } = await run(runner);
    expect(code, output).toBe(0);
    expect(outcomes(), "is the built kit the source's? pnpm build").toEqual(await expected(runner));
  });

  tried("a wrong driver fails the run by its clause, with the seed of the environment", async () => {
    const seed = "20261124";
    const { code, outcomes, output } = await run(runner, {
      SESSIONS_TEST_SPOIL: "1",
      SESSIONS_CONFORMANCE_SEED: seed,
    });
    expect(code).not.toBe(0);
    expect(outcomes()).toMatchObject({
      "R4.1 commit to an id that was never created returns gone and makes nothing": "failed",
    });
    expect(output).toContain(`(seed ${seed})`);
  });
});
