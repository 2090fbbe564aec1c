import { styleText } from "node:util";
import { messageOf, nameOf, plain, plainLines, wrap } from "@sessions/kit-command";
import { advice } from "../advice.ts";
import type { Report, Result } from "../run.ts";
import type { Target } from "../target.ts";
import { byPromise, protocolOf, STATUSES, skips, titleAndReason, verdict } from "./summary.ts";

/** Settings of the printed report. */
export interface TextOptions {
  readonly colour: boolean;
  /** How many characters fit into a line. */
  readonly width: number;
}

type Paint = (style: "red" | "green" | "yellow" | "bold" | "dim", text: string) => string;

const STYLES = { passed: "green", failed: "red", skipped: "yellow" } as const;

function table(report: Report, paint: Paint): string {
  const rows = byPromise(report).map(({ promise, heading, counts }) => {
    const cells = STATUSES.map((status) => {
      const text = String(counts[status] || "").padStart(8);
      return counts[status] > 0 ? paint(STYLES[status], text) : text;
    });
    return `${promise.padEnd(4)} ${heading.padEnd(54)}${cells.join("")}`.trimEnd();
  });
  const head = `${"Promise".padEnd(59)}${STATUSES.map((status) => status.padStart(8)).join("")}`;
  return [paint("bold", head), ...rows].join("\n");
}

function failure(result: Result, { width }: TextOptions, paint: Paint): string {
  const { rule, title, error } = result;
  const message = messageOf(error);
  const seen =
    nameOf(error) === "AssertionError" ? plainLines(message, 20) : plainLines(`${nameOf(error)}: ${message}`);
  const cause = error instanceof Error ? error.cause : undefined;
  return [
    paint("red", `${rule} ${title}`),
    paint("dim", "  Seen"),
    ...seen.map((line) => `    ${line}`.trimEnd()),
    ...(cause === undefined
      ? []
      : [
          paint("dim", "  In the framework's error handling"),
          ...plainLines(`${nameOf(cause)}: ${messageOf(cause)}`).map((line) => `    ${line}`.trimEnd()),
        ]),
    paint("dim", "  What to change"),
    wrap(advice(rule), width, "    "),
  ].join("\n");
}

/** The clauses that were left out, by reason. */
const leftOut = (report: Report, width: number): string[] =>
  skips(report).map(
    ([reason, rules]) => `${wrap(plain(reason), width, "  ")}\n${wrap(rules.join(", "), width, "    ")}`,
  );

/** A report for people to read. */
export function textOf(report: Report, target: Target, options: TextOptions): string {
  // validateStream is off, because the caller has already asked whether the terminal shows colours.
  const paint: Paint = (style, text) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const left = leftOut(report, options.width);
  const style = report.failed > 0 ? "red" : report.passed > 0 ? "green" : "yellow";
  return `${[
    table(report, paint),
    ...report.results
      .filter(({ status }) => status === "failed")
      .map((result) => failure(result, options, paint)),
    ...(left.length > 0 ? [`${paint("bold", "Skipped")}\n${left.join("\n")}`] : []),
    `${paint(style, `${plain(target.name)} over ${protocolOf(target)}: ${verdict(report)}`)}`,
  ].join("\n\n")}\n`;
}

/** A report for programs to read. */
export function jsonOf(report: Report, target: Target): string {
  const results = report.results.map((result) => {
    const { rule, status, error } = result;
    const { title, reason } = titleAndReason(result);
    if (status !== "failed") return { rule, title, status, ...(reason !== undefined && { reason }) };
    return {
      rule,
      title,
      status,
      error: { name: nameOf(error), message: messageOf(error) },
      advice: advice(rule),
    };
  });
  const { passed, failed, skipped } = report;
  const all = { target: target.name, http2: target.http2 === true, passed, failed, skipped, results };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}
