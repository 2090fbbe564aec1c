import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeBadge } from "badge-maker";
import { markdownTable } from "markdown-table";
import type { Report } from "../run.ts";
import type { Target } from "../target.ts";
import { UsageError } from "./options.ts";
import { markdownText, messageOf, plain } from "./plain.ts";
import { byPromise, protocolOf, STATUSES, skips, verdict } from "./summary.ts";

/** The badge's text: numbers alone, so that skipped clauses show too. */
function badgeMessage({ passed, failed, skipped, results }: Report): string {
  if (failed > 0) return `${failed} of ${results.length} clauses failed`;
  return `${passed} of ${results.length} clauses${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** A badge as SVG: red if a clause failed, grey if nothing was tested. */
export function badgeOf(report: Report): string {
  const color = report.failed > 0 ? "red" : report.passed > 0 ? "brightgreen" : "lightgrey";
  return `${makeBadge({ label: "sessions", message: badgeMessage(report), color })}\n`;
}

/** A table for a README: the results by promise, and the skipped clauses with their reasons. */
export function markdownOf(report: Report, target: Target): string {
  const rows = byPromise(report).map(({ promise, heading, counts }) => [
    promise,
    heading,
    ...STATUSES.map((status) => String(counts[status] || "")),
  ]);
  const lines = [
    `**${markdownText(target.name)}** over ${protocolOf(target)}: ${verdict(report)}.`,
    "",
    markdownTable([["Promise", "", "Passed", "Failed", "Skipped"], ...rows], {
      align: ["l", "l", "r", "r", "r"],
    }),
  ];
  const left = skips(report).map(([reason, rules]) => [rules.join(", "), markdownText(reason)]);
  if (left.length > 0) lines.push("", markdownTable([["Skipped", "Reason"], ...left]));
  return `${lines.join("\n")}\n`;
}

/** Creates the folder before the run, so that the result of a run is not lost. */
export async function makeFolder(folder: string, cwd: string): Promise<void> {
  try {
    await mkdir(resolve(cwd, folder), { recursive: true });
  } catch (error) {
    throw new UsageError(`--out: the folder ${folder} cannot be created. ${plain(messageOf(error))}`);
  }
}

/** Writes `conformance.svg` and `conformance.md` into the folder. */
export async function writeFiles(folder: string, cwd: string, report: Report, target: Target): Promise<void> {
  try {
    await writeFile(join(resolve(cwd, folder), "conformance.svg"), badgeOf(report));
    await writeFile(join(resolve(cwd, folder), "conformance.md"), markdownOf(report, target));
  } catch (error) {
    throw new UsageError(`--out: cannot write into the folder ${folder}. ${plain(messageOf(error))}`);
  }
}
