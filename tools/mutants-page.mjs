// docs/mutants.md: what became of the mutants of each driver. The reasons of tools/mutants.json are kept by place and fault.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** @typedef {import("./mutations.mjs").Mutant} Mutant */
/** @typedef {import("./mutate.mjs").Verdict} Verdict */
/** @typedef {{ reason: string, mutants: string[] }[]} Reasons Why mutants survive. */

const PAGE = "docs/mutants.md";
const INTRODUCTION = `# What the kit finds in drivers with small faults

\`pnpm mutate memory\` and \`pnpm mutate sqlite\` write this page. They make one small fault in a driver's source (a
*mutant*), run the kit against it, and go on to the next. Faults are: a condition that is always or never true, or without
one of its parts; another operator, number or text; a removed statement, \`await\`, property or copy; and in SQL another
comparison, a condition that always holds, another order or limit. Messages and types are left as they are.

The kit runs until the first clause that fails. Where none fails, the driver's own tests are run. Each such mutant is
below with the reason: it changes nothing that a caller can see, or nothing that the contract speaks of. A mutant without
a reason in \`tools/mutants.json\` fails the command.

The last run of sqlite left out errors.ts, provisioning.ts and from-url.ts. It ran most clauses about single calls and setup,
then, against what was left, some of the clauses about races, several drivers and large records. It ran no stories or
histories.
`;

const code = (/** @type {string} */ text) => (text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``);

/** Writes a driver's part of the page. Returns the survivors without a reason. */
/** @type {(name: "memory" | "sqlite", mutants: Mutant[], verdicts: Record<string, Verdict>) => string[]} */
export function writePage(name, mutants, verdicts) {
  /** @type {Record<string, Reasons>} */
  const all = JSON.parse(readFileSync("tools/mutants.json", "utf8"));
  const reasons = all[name] ?? [];
  const survivors = mutants.filter(({ key }) => verdicts[key]?.by === "survived").map(({ key }) => key);
  const explained = new Set(reasons.flatMap((one) => one.mutants));
  const unexplained = survivors.filter((key) => !explained.has(key));

  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { key } of mutants) {
    const { by = "survived", rule } = verdicts[key] ?? {};
    const killer = rule === undefined ? by : rule === "R0" ? "setup" : (rule.split(".")[0] ?? rule);
    counts.set(killer, (counts.get(killer) ?? 0) + 1);
  }
  counts.delete("survived");
  const words = new Map([
    ["setup", "the driver could not be opened or set up"],
    ["crash", "the process ended"],
    ["time", "the run did not end"],
  ]);
  const judged = mutants.filter(({ key }) => verdicts[key]).length;
  const found = judged - survivors.length;
  const tried = survivors.filter((key) => verdicts[key]?.tests);
  const byTests = tried.filter((key) => verdicts[key]?.tests === "found").length;
  const lines = [
    `## ${name}`,
    "",
    `The kit was run against ${judged} of ${mutants.length} mutants and finds ${found} (${Math.round((100 * found) / judged)} %). ` +
      `The driver's own tests were run against ${tried.length} of the other ${survivors.length} and find ${byTests}.`,
    "",
    "| first rule that failed | mutants |",
    "| --- | ---: |",
    ...[...counts]
      .toSorted(([, a], [, b]) => b - a)
      .map(([killer, count]) => `| ${words.get(killer) ?? killer} | ${count} |`),
    "",
    `### Survivors of ${name}`,
    ...reasons.flatMap(({ reason, mutants: keys }) => {
      const kept = keys.filter((key) => survivors.includes(key));
      return kept.length === 0 ? [] : ["", reason, "", ...kept.map((key) => `- ${code(key)}${mark(key)}`)];
    }),
    ...(unexplained.length === 0
      ? []
      : ["", "Without a reason:", "", ...unexplained.map((key) => `- ${code(key)}${mark(key)}`)]),
  ];
  /** @type {(key: string) => string} */
  function mark(key) {
    return verdicts[key]?.tests === "found" ? " (found by the driver's own tests)" : "";
  }

  const parts = existsSync(PAGE)
    ? readFileSync(PAGE, "utf8")
        .split(/^(?=## )/m)
        .slice(1)
    : [];
  const others = parts.filter((part) => !part.startsWith(`## ${name}\n`)).map((part) => part.trimEnd());
  writeFileSync(
    PAGE,
    `${[INTRODUCTION.trimEnd(), ...[...others, lines.join("\n")].toSorted()].join("\n\n")}\n`,
  );
  return unexplained;
}
