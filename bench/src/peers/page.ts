import { readFileSync } from "node:fs";
import process from "node:process";
import { PROMISES } from "./kit.ts";
import type { Peer } from "./peer.ts";
import type { Finding } from "./run.ts";
import { sentenceOf } from "./sentences.ts";

/** A library, and what the cases have shown of it. */
export interface Tested {
  readonly peer: Peer;
  readonly findings: readonly Finding[];
}

const INTRO = `# Other libraries, by the promises of adapters

What the cases of [\`@sessions/adapter-conformance\`](../packages/adapter-conformance) saw other session libraries do. The
promises are those that [SPEC.md](../SPEC.md#adapters) asks of this library's adapters. The other libraries do not make
them, and some are choices that another design may rightly decide otherwise. The page is a list of differences, for
those who move from one library to another. [The promises of adapters, by framework](adapter-conformance.md) has the
same for this library.

\`pnpm bench:peers\` runs the cases again and writes this page. It takes five minutes, and needs a Redis server, which
[tools/test-services](../tools/test-services) finds or starts.

## How it is measured

- **Each case runs as it does for our adapters**, over real sockets on HTTP/1.1, with the library in place of our
  manager. The cases make and read sessions by requests to the library's server.
- **Each library is used as its documentation shows.** The programs are in
  [bench/src/peers/targets](../bench/src/peers/targets). Beside each mapping is its place in the documentation.
  express-session, for example, logs in by \`regenerate\`, a value and \`save\`.
- **The handler awaits each step**, such as a login that is asynchronous, before it goes on.
- **Its store is slow or down where the case asks for it.** *A store* is a Map of texts, as a store outside the process
  keeps them.
- **A clause does not apply** where the library has no means for what the case does, such as a backend where the session
  is in the cookie. The reasons stand below the clauses that were broken.
- **A clause counts as broken** if one of its assertions failed. The sentence beside it says what the first failed one saw.
`;

function versionOf(name: string): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8"),
  );
  return manifest.version;
}

const versionsOf = ({ packages }: Peer): string =>
  packages.map((name) => (name.startsWith("@sessions/") ? name : `${name} ${versionOf(name)}`)).join(", ");

const table = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...others] = rows;
  const marks = head.map((_, column) => (column === 0 ? "---" : ":-:"));
  return [head, marks, ...others].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
};

const STATUSES = ["kept", "broken", "apart"] as const;

const counts = (findings: readonly Finding[]): string =>
  STATUSES.map((status) => findings.filter((it) => it.status === status).length).join(" / ");

const promiseOf = (rule: string): string => rule.split(".")[0] ?? rule;

/** `H6.1`, `H6.2`, `H6.3`, `H7.1` as `H6.1 to H6.3, H7.1`. */
function rangesOf(rules: readonly string[]): string {
  const runs: string[][] = [];
  for (const rule of rules) {
    const run = runs.at(-1);
    const [promise, clause] = rule.split(".");
    if (run?.at(-1) === `${promise}.${Number(clause) - 1}`) run.push(rule);
    else runs.push([rule]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]} to ${run.at(-1)}` : run.join(", "))).join(", ");
}

/** A bullet for each text, with the clauses that it is about. */
function bullets(findings: readonly Finding[], textOf: (finding: Finding) => string): string {
  const groups = new Map<string, string[]>();
  for (const finding of findings) {
    const text = textOf(finding);
    groups.set(text, [...(groups.get(text) ?? []), finding.rule]);
  }
  return [...groups].map(([text, rules]) => `- ${rangesOf(rules)}: ${text}`).join("\n");
}

const of = ({ findings }: Tested, status: Finding["status"]): readonly Finding[] =>
  findings.filter((it) => it.status === status);

/** The clauses in whose cases an error had nobody to handle it. */
function strayOf({ findings }: Tested): string {
  return bullets(
    findings.filter((it) => it.isStray),
    () => "in these cases an error was an unhandled rejection, which ends a process of Node.",
  );
}

/** The page. */
export function pageOf(all: readonly Tested[], servers: readonly string[]): string {
  const names = all.map(({ peer }) => peer.name);
  const total = all[0]?.findings.length ?? 0;
  return `${[
    INTRO.trimEnd(),
    "## Versions",
    table([["", "versions"], ...all.map(({ peer }) => [peer.name, versionsOf(peer)])]),
    `Node ${process.versions.node}, ${servers.join(", ")}.`,
    "## In numbers",
    `Clauses kept / broken / not applicable, of ${total}.`,
    table([
      ["", ...names],
      ...Object.entries(PROMISES).map(([promise, heading]) => [
        `${promise} ${heading}`,
        ...all.map(({ findings }) => counts(findings.filter(({ rule }) => promiseOf(rule) === promise))),
      ]),
      ["all", ...all.map(({ findings }) => counts(findings))],
    ]),
    "## What was seen",
    ...all.flatMap((tested) => [
      `### ${tested.peer.name}`,
      [bullets(of(tested, "broken"), sentenceOf), strayOf(tested)].filter((it) => it !== "").join("\n"),
      "Not applicable:",
      bullets(of(tested, "apart"), ({ reason = "" }) => `${reason}.`),
    ]),
  ].join("\n\n")}\n`;
}
