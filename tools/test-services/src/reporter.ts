import Table from "cli-table3";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { Missing, Service, ServiceName } from "./service.ts";
import { found } from "./services.ts";

interface Row {
  passed: number;
  failed: number;
  skipped: number;
}

/** The name of a test's suite, if it is a test of the kit: its title begins with a rule, its suite is `<backend>: <client>`. */
function suiteOf(test: TestCase): string | undefined {
  if (!/^R\d+\.\d+ /.test(test.name) || test.parent.type !== "suite") return undefined;
  const { fullName } = test.parent;
  return /^[a-z]+: /.test(fullName) ? fullName : undefined;
}

/** Prints a table at the end of a run: the backends that drivers were tested on, and the number of passed clauses. */
export default class ServicesReporter implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const services = await found();
    const rows = new Map<string, Row>();
    for (const module of modules)
      for (const test of module.children.allTests()) {
        const suite = suiteOf(test);
        if (suite === undefined) continue;
        const row = rows.get(suite) ?? { passed: 0, failed: 0, skipped: 0 };
        rows.set(suite, row);
        const { state } = test.result();
        row[state === "pending" ? "skipped" : state]++;
      }
    if (services.size === 0 && rows.size === 0) return;
    const table = new Table({
      head: ["backend", "server", "obtained by", "clauses passed"],
      style: { head: [] },
    });
    for (const [name, service] of services) {
      const own = [...rows].filter(([suite]) => suite.split(":")[0] === name);
      if (own.length === 0) table.push([name, server(service), obtained(service), "-"]);
      for (const [suite, row] of own) table.push([suite, server(service), obtained(service), passed(row)]);
    }
    // Backends without a server: files, SQLite.
    const embedded = [...rows].filter(([suite]) => !services.has(suite.split(":")[0] as ServiceName));
    for (const [suite, row] of embedded) table.push([suite, "none", "in this process", passed(row)]);
    console.log(`\nBackends of this run\n${table}`);
  }
}

const server = (service: Service | Missing): string =>
  "missing" in service ? "NOT TESTED" : service.version + (service.emulator ? " (emulator)" : "");

const obtained = (service: Service | Missing): string =>
  "missing" in service ? "not found on this machine" : service.obtained;

function passed({ passed, failed, skipped }: Row): string {
  const rest = [failed && `${failed} FAILED`, skipped && `${skipped} skipped`].filter(Boolean);
  return [`${passed} of ${passed + failed + skipped}`, ...rest].join(", ");
}
