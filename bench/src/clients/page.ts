import { readFileSync } from "node:fs";
import { show } from "../measure/statistics.ts";
import type { Measured, Passed } from "./measure.ts";

const HEAD = [
  ...["driver", "client", "server", "clauses passed"],
  ...["reads a second", "of the bare client's", "writes a second", "of the bare client's"],
];

function versionOf(name: string): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8"),
  );
  return manifest.version;
}

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function cellsOf({ client, server, passed, failed, skipped }: Passed): string[] {
  const { driver, name, packages } = client;
  const all = passed + failed.length + skipped.length;
  return [
    driver,
    `${name} (${packages.map((it) => (packages.length > 1 ? `${it} ` : "") + versionOf(it)).join(", ")})`,
    server,
    passed === all ? `all ${all}` : `${passed} of ${all}`,
  ];
}

const rowOf = ({ reads, writes, ...passed }: Measured): string =>
  line([
    ...cellsOf(passed),
    ...[reads, writes].flatMap(({ one, ratio }) => [show(one.median), show(ratio.median, 2)]),
  ]);

/** The table of the newest servers. */
export function newestTableOf(all: readonly Passed[]): string {
  const failed = all.flatMap(({ client, server, failed }) =>
    failed.map((what) => `- ${client.name} on ${server}, failed: ${what}`),
  );
  const head = HEAD.slice(0, 4);
  return [line(head), line(head.map(() => "---")), ...all.map((one) => line(cellsOf(one))), ...failed].join(
    "\n",
  );
}

/** The rule's number in the text of a clause, such as `R11.3`, and the reason in its brackets. */
const CLAUSE = /^(R\d+)\.\d+ .*\(skipped: (.*)\)$/;

/** Why clauses were left out: one line for each rule and reason, with the clients that it holds for. */
function leftOut(all: readonly Measured[]): string[] {
  const reasons = new Map<string, Map<string, number>>();
  for (const { client, skipped } of all)
    for (const text of skipped) {
      const [, rule = text, reason = ""] = CLAUSE.exec(text) ?? [];
      const counts = reasons.get(`${rule}: ${reason}`) ?? new Map<string, number>();
      reasons.set(`${rule}: ${reason}`, counts.set(client.name, (counts.get(client.name) ?? 0) + 1));
    }
  return [...reasons].map(([reason, counts]) => {
    const clients = [...counts].map(([name, count]) => `${name} (${count})`).join(", ");
    return `- ${reason}. Clauses left out: ${clients}.`;
  });
}

/** The table of docs/clients.md, and which clauses were left out or failed. */
export function tableOf(all: readonly Measured[]): string {
  const failed = all.flatMap(({ client, failed }) =>
    failed.map((what) => `- ${client.driver}, ${client.name}, failed: ${what}`),
  );
  const apart = [...leftOut(all), ...failed];
  const table = [line(HEAD), line(HEAD.map(() => "---")), ...all.map(rowOf)].join("\n");
  return apart.length === 0 ? table : `${table}\n\nNot every clause was asked for:\n\n${apart.join("\n")}`;
}
