import { markdownText } from "@sessions/kit-command";
import { makeBadge } from "badge-maker";
import { markdownTable } from "markdown-table";
import type { Report } from "../run.ts";
import type { Target } from "../target.ts";
import { byRule, profileText, skips, verdict } from "./summary.ts";

/** The badge's text: numbers, so that skipped clauses show too, and what the driver says of itself. */
export function badgeMessage(report: Report): string {
  const { passed, failed, skipped, results } = report;
  const left = skipped > 0 ? `, ${skipped} skipped` : "";
  const counts =
    failed > 0
      ? `${failed} of ${results.length} clauses failed`
      : `${passed} of ${results.length} clauses${left}`;
  return counts + profileText(report);
}

/** A badge as SVG: red if a clause failed, grey if nothing was tested. */
export function badgeOf(report: Report): string {
  const color = report.failed > 0 ? "red" : report.passed > 0 ? "brightgreen" : "lightgrey";
  return `${makeBadge({ label: "sessions", message: badgeMessage(report), color })}\n`;
}

/** A table for a README: the results by rule, and the skipped clauses with their reasons. */
export function markdownOf(report: Report, target: Target): string {
  const number = (n: number) => (n > 0 ? String(n) : "");
  const rules = byRule(report).map(({ rule, heading, passed, failed, skipped }) => [
    rule,
    heading,
    ...[passed, failed, skipped].map(number),
  ]);
  const lines = [
    `**${markdownText(target.name)}**: ${verdict(report)}.`,
    "",
    markdownTable([["Rule", "", "Passed", "Failed", "Skipped"], ...rules], {
      align: ["l", "l", "r", "r", "r"],
    }),
  ];
  const table = (head: string, excluded: boolean) => {
    const rows = skips(report, target)
      .filter((group) => group.excluded === excluded)
      .map((group) => [group.rules.join(", "), markdownText(group.reason)]);
    if (rows.length > 0) lines.push("", markdownTable([[head, "Reason"], ...rows]));
  };
  table("Excluded", true);
  table("Does not apply, or was not tested", false);
  return `${lines.join("\n")}\n`;
}
