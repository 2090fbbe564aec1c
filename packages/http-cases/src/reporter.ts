import { readFile, writeFile } from "node:fs/promises";
import type { Reporter, TestModule, TestSuite, Vitest } from "vitest/node";
import { type Column, columnsOf, tableOf } from "./table.ts";
import { readLeftOut } from "./titles.ts";

const UPDATE = "`npx vitest run http-cases runtimes -u`";
const FILE = new URL("../../../docs/http-cases.md", import.meta.url);

const HEAD = `# HTTP cases by adapter

The rules for every adapter, and the results of the adapters' tests. ✓ is a case that passed over real sockets, over
each version of HTTP that the first table names. A letter is a case that is left out; the reasons are at the end. If
there are two marks, the second one is for HTTP/2. Bun, Deno and Workers (\`workerd\`) run both the client and the
server. The cases are in [\`packages/http-cases\`](../packages/http-cases). A run of all adapters' tests fails if this
page does not match the results; ${UPDATE} writes it.

`;

/** The outcomes of a suite, if each of its tests passed or is left out for a reason. */
function columnOf({ name, children }: TestSuite): Column | undefined {
  const outcomes = new Map<string, string | undefined>();
  for (const test of children.tests()) {
    const { state } = test.result();
    const { title, reason } = readLeftOut(test.name);
    if (state === "passed") outcomes.set(test.name, undefined);
    else if (state === "skipped" && reason !== undefined) outcomes.set(title, reason);
    else return undefined;
  }
  return { name, outcomes };
}

/** Checks `docs/http-cases.md` against the results, once all adapters that the page names have run. */
// biome-ignore lint/style/noDefaultExport: vitest loads a reporter from the default export.
export default class HttpCasesReporter implements Reporter {
  readonly #modules = new Map<string, readonly Column[]>();
  #updates = false;

  onInit({ config }: Vitest): void {
    this.#updates = config.snapshotOptions.updateSnapshot === "all";
  }

  // Not at the end of the run, where vitest ignores errors of a reporter.
  async onTestModuleEnd({ moduleId, children }: TestModule): Promise<void> {
    const finished = [...children.suites()].flatMap((suite) => columnOf(suite) ?? []);
    if (finished.length === 0) return;
    this.#modules.set(moduleId, finished);
    const columns = [...this.#modules].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, its]) => its);
    const shown = await readFile(FILE, "utf8").catch(() => "");
    const named = columnsOf(shown);
    const areIn = (some: readonly Column[]): boolean =>
      named.every((name) => some.some((column) => column.name === name));
    // The cases import packages that must be built first, so only a run of all adapters imports them.
    if (!areIn(columns)) return;
    const { GROUPS } = await import("./groups.ts");
    const cases = GROUPS.flatMap((group) => group.cases);
    const whole = columns.filter(({ outcomes }) => cases.every(({ title }) => outcomes.has(title)));
    if (whole.length === 0 || !areIn(whole)) return;
    const table = HEAD + tableOf(GROUPS, whole);
    if (table === shown) return;
    if (this.#updates) await writeFile(FILE, table);
    else
      throw new Error(
        `docs/http-cases.md: the page does not match the test results. Run ${UPDATE} to write it`,
      );
  }
}
