import { readFile, writeFile } from "node:fs/promises";
import type { Reporter, TestModule, TestSuite, Vitest } from "vitest/node";
import { type Column, columnsOf, tableOf } from "./table.ts";
import { readLeftOut } from "./titles.ts";

const UPDATE = "`npx vitest run http-cases runtimes -u`";
const FILE = new URL("../../../docs/http-cases.md", import.meta.url);

const HEAD = `# HTTP cases by adapter

What every adapter must do, and the adapters that were seen to do it. ✓ is a case that passed over real sockets, over each version
of HTTP that is named; a letter is one that is left out, for the reason at the end; where there are two marks, the second is
HTTP/2's. Bun, Deno and Workers (\`workerd\`) run the cases themselves, client and server both. The cases are those of
[\`packages/http-cases\`](../packages/http-cases). A run of all adapters' tests fails where this file is not what they say;
${UPDATE} writes it.

`;

/** What the tests of a suite said, where all of them passed or are left out for a reason. */
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

/** Holds `docs/http-cases.md` to what the adapters' tests say, once every adapter that it names has spoken. */
// biome-ignore lint/style/noDefaultExport: that is where vitest looks for it.
export default class HttpCasesReporter implements Reporter {
  readonly #modules = new Map<string, readonly Column[]>();
  #updates = false;

  onInit({ config }: Vitest): void {
    this.#updates = config.snapshotOptions.updateSnapshot === "all";
  }

  // Not at the end of the run, which counts no error of a reporter any more.
  async onTestModuleEnd({ moduleId, children }: TestModule): Promise<void> {
    const spoken = [...children.suites()].flatMap((suite) => columnOf(suite) ?? []);
    if (spoken.length === 0) return;
    this.#modules.set(moduleId, spoken);
    const columns = [...this.#modules].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, its]) => its);
    const shown = await readFile(FILE, "utf8").catch(() => "");
    const named = columnsOf(shown);
    const areIn = (some: readonly Column[]): boolean =>
      named.every((name) => some.some((column) => column.name === name));
    // The cases import what is to be built first, so only a run of all adapters does.
    if (!areIn(columns)) return;
    const { GROUPS } = await import("./groups.ts");
    const cases = GROUPS.flatMap((group) => group.cases);
    const whole = columns.filter(({ outcomes }) => cases.every(({ title }) => outcomes.has(title)));
    if (whole.length === 0 || !areIn(whole)) return;
    const table = HEAD + tableOf(GROUPS, whole);
    if (table === shown) return;
    if (this.#updates) await writeFile(FILE, table);
    else throw new Error(`docs/http-cases.md is not what the tests say; ${UPDATE} writes it`);
  }
}
