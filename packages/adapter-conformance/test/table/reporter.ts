import { readFile, writeFile } from "node:fs/promises";
import type { Reporter, TestModule, TestSuite, Vitest } from "vitest/node";
import { namesOf, type Outcomes, readTitle, tableOf } from "./table.ts";

const UPDATE = "`npx vitest run promises runtimes -u`";
/** The tests of our adapters. The kit's own tests run it against others. */
const TESTS = /[\\/](promises|runtimes)\.test\.ts$/;
const FILE = new URL("../../../../docs/adapter-conformance.md", import.meta.url);

const HEAD = `# The promises of adapters, by framework

What each adapter must do, and what its tests saw. The numbers are those of [SPEC.md](../SPEC.md#adapters). ✓ is a clause
that held over real sockets, over each version of HTTP that the first table names. A letter is a clause that was left out;
the reasons are at the end. If there are two marks, the second one is for HTTP/2. Bun, Deno and Workers (\`workerd\`) run
both the client and the server. [\`@sessions/adapter-conformance\`](../packages/adapter-conformance) tests any adapter in
the same way. A run of all adapters' tests fails if this page does not match the results;
${UPDATE} writes it.

`;

/** The outcomes of a suite, if each of its tests passed or was skipped for a reason. */
function outcomesOf({ name, children }: TestSuite): Outcomes | undefined {
  const outcomes = new Map<string, string | undefined>();
  for (const test of children.tests()) {
    const { state } = test.result();
    const { rule, reason } = readTitle(test.name);
    if (state === "passed") outcomes.set(rule, undefined);
    else if (state === "skipped" && reason !== undefined) outcomes.set(rule, reason);
    else return undefined;
  }
  return { name, outcomes };
}

/** Checks `docs/adapter-conformance.md` against the results, once all frameworks that the page names have run. */
// biome-ignore lint/style/noDefaultExport: vitest loads a reporter from the default export.
export default class PromisesReporter implements Reporter {
  readonly #modules = new Map<string, readonly Outcomes[]>();
  #updates = false;

  onInit({ config }: Vitest): void {
    this.#updates = config.snapshotOptions.updateSnapshot === "all";
  }

  // Not at the end of the run, where vitest ignores errors of a reporter.
  async onTestModuleEnd({ moduleId, children }: TestModule): Promise<void> {
    if (!TESTS.test(moduleId)) return;
    const finished = [...children.suites()].flatMap((suite) => outcomesOf(suite) ?? []);
    if (finished.length === 0) return;
    this.#modules.set(moduleId, finished);
    const targets = [...this.#modules].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, its]) => its);
    const shown = await readFile(FILE, "utf8").catch(() => "");
    const named = namesOf(shown);
    const areIn = (some: readonly Outcomes[]): boolean =>
      named.every((name) => some.some((target) => target.name === name));
    // The cases import packages that must be built first, so only a run of all adapters imports them.
    if (!areIn(targets)) return;
    const { cases } = await import("../../src/cases/index.ts");
    const { PROMISES } = await import("../../src/promises.ts");
    const whole = targets.filter(({ outcomes }) => cases.every(({ rule }) => outcomes.has(rule)));
    if (whole.length === 0 || !areIn(whole)) return;
    const promises = Object.entries(PROMISES).map(([rule, heading]) => ({
      rule,
      heading,
      cases: cases.filter((one) => one.rule.startsWith(`${rule}.`)),
    }));
    const table = HEAD + tableOf(promises, whole);
    if (table === shown) return;
    if (this.#updates) await writeFile(FILE, table);
    else
      throw new Error(
        `docs/adapter-conformance.md: the page does not match the test results. Run ${UPDATE} to write it`,
      );
  }
}
