import { markdownText } from "@sessions/kit-command";
import { makeBadge } from "badge-maker";
import { markdownTable } from "markdown-table";
import type { Report } from "../run.ts";
import type { Target } from "../target.ts";
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
