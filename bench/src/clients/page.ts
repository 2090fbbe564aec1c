import { readFileSync } from "node:fs";
import { show } from "../measure/statistics.ts";
import type { Measured } from "./measure.ts";

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

function rowOf({ client, server, passed, failed, reads, writes, skipped }: Measured): string {
  const { driver, name, packages } = client;
  const all = passed + failed.length + skipped.length;
  return line([
    driver,
    `${name} (${packages.map((it) => (packages.length > 1 ? `${it} ` : "") + versionOf(it)).join(", ")})`,
    server,
    passed === all ? `all ${all}` : `${passed} of ${all}`,
    ...[reads, writes].flatMap(({ one, ratio }) => [show(one.median), show(ratio.median, 2)]),
  ]);
}

/** The table of docs/clients.md, and why a clause was left out. */
export function tableOf(all: readonly Measured[]): string {
  const apart = all.flatMap(({ client, skipped, failed }) =>
    [...skipped, ...failed].map((what) => `- ${client.driver}, ${client.name}: ${what}`),
  );
  const table = [line(HEAD), line(HEAD.map(() => "---")), ...all.map(rowOf)].join("\n");
  return apart.length === 0 ? table : `${table}\n\nNot passed, or not asked for:\n\n${apart.join("\n")}`;
}
