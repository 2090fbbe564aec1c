import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { renderSvg } from "./charts.ts";
import type { Question, Result } from "./question.ts";
import { usedVersions } from "./services.ts";

const RESULTS = new URL("../results/", import.meta.url);
/** Not committed, so that they are not mistaken for results. */
const QUICK = new URL("quick/", RESULTS);

// No colours, and no lines between rows.
const STYLE = {
  style: { head: [], border: [] },
  chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
};

/** Prints the results of a question. */
export function print({ number, title }: Question, { tables, verdicts, notes }: Result): void {
  console.log(`\n${number}. ${title}`);
  for (const { title, head, rows } of tables) {
    const table = new Table({ head: [...head], ...STYLE });
    table.push(...rows.map((row) => [...row]));
    console.log(`\n${title}\n${table}`);
  }
  for (const { what, target, reached, ok } of verdicts)
    console.log(`${ok ? "reached" : "MISSED "}  ${what}: ${reached} (target ${target})`);
  for (const note of notes) console.log(note);
}

/** Formats a Markdown table. */
const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** Formats the results of a question as a Markdown page. */
function markdownOf(
  { number, title }: Question,
  { tables, verdicts, notes }: Omit<Result, "charts">,
): string {
  const parts = [
    `# ${number}. ${title}`,
    ...notes,
    ...(verdicts.length === 0
      ? []
      : [
          tableOf(
            ["", "target", "reached", ""],
            verdicts.map(({ what, target, reached, ok }) => [what, target, reached, ok ? "✓" : "missed"]),
          ),
        ]),
    ...tables.flatMap((table) => [`## ${table.title}`, tableOf(table.head, table.rows)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Writes a question's figures as JSON, its tables and its charts. Returns the paths. */
export async function write(question: Question, result: Result, quick: boolean): Promise<string[]> {
  const folder = quick ? QUICK : RESULTS;
  await mkdir(folder, { recursive: true });
  const { number, title } = question;
  const { charts, ...found } = result;
  const files = new Map<string, string>();
  const run = {
    question: number,
    title,
    quick,
    date: new Date().toISOString(),
    node: process.versions.node,
    processor: `${cpus().length} × ${cpus()[0]?.model ?? "?"}`,
    servers: await usedVersions(),
  };
  files.set(`${number}.json`, `${JSON.stringify({ ...run, ...found }, undefined, 2)}\n`);
  files.set(`${number}.md`, markdownOf(question, found));
  for (const chart of charts) files.set(`${number}-${chart.name}.svg`, await renderSvg(chart));
  for (const [name, text] of files) await writeFile(new URL(name, folder), text);
  return [...files.keys()].map((name) => relative(process.cwd(), fileURLToPath(new URL(name, folder))));
}
