import { styleText } from "node:util";
import { advice } from "../advice.ts";
import { PROMISES } from "../promises.ts";
import type { Report, Result } from "../run.ts";
import type { Target } from "../target.ts";
import { messageOf, nameOf, plain, plainLines, wrap } from "./plain.ts";

/** Settings of the printed report. */
export interface TextOptions {
  readonly colour: boolean;
  /** How many characters fit into a line. */
  readonly width: number;
}

type Paint = (style: "red" | "green" | "yellow" | "bold" | "dim", text: string) => string;

const STATUSES = ["passed", "failed", "skipped"] as const;
const STYLES = { passed: "green", failed: "red", skipped: "yellow" } as const;

const promiseOf = (rule: string): string => rule.split(".")[0] ?? rule;

/** Splits a result's title from the reason why it was skipped. */
function titleAndReason({ title, status }: Result): { title: string; reason: string | undefined } {
  const at = status === "skipped" ? title.indexOf(" (skipped: ") : -1;
  if (at < 0) return { title, reason: undefined };
  return { title: title.slice(0, at), reason: title.slice(at + " (skipped: ".length, -1) };
}

function table({ results }: Report, paint: Paint): string {
  const rows = Object.entries(PROMISES).flatMap(([promise, heading]) => {
    const own = results.filter(({ rule }) => promiseOf(rule) === promise);
    if (own.length === 0) return [];
    const counts = STATUSES.map((status) => {
      const count = own.filter((result) => result.status === status).length;
      const text = String(count || "").padStart(8);
      return count > 0 ? paint(STYLES[status], text) : text;
    });
    return [`${promise.padEnd(4)} ${heading.padEnd(54)}${counts.join("")}`.trimEnd()];
  });
  const head = `${"Promise".padEnd(59)}${STATUSES.map((status) => status.padStart(8)).join("")}`;
  return [paint("bold", head), ...rows].join("\n");
}

function failure(result: Result, { width }: TextOptions, paint: Paint): string {
  const { rule, title, error } = result;
  const message = messageOf(error);
  const seen =
    nameOf(error) === "AssertionError" ? plainLines(message, 20) : plainLines(`${nameOf(error)}: ${message}`);
  return [
    paint("red", `${rule} ${title}`),
    paint("dim", "  Seen"),
    ...seen.map((line) => `    ${line}`.trimEnd()),
    paint("dim", "  What to change"),
    wrap(advice(rule), width, "    "),
  ].join("\n");
}

/** The clauses that were left out, by reason. */
function leftOut({ results }: Report, width: number): string[] {
  const groups = new Map<string, string[]>();
  for (const result of results) {
    const { reason } = titleAndReason(result);
    if (reason !== undefined) groups.set(reason, [...(groups.get(reason) ?? []), result.rule]);
  }
  return [...groups].map(
    ([reason, rules]) => `${wrap(plain(reason), width, "  ")}\n${wrap(rules.join(", "), width, "    ")}`,
  );
}

/** The run in one sentence. Failures come first. */
function verdict({ passed, failed, skipped, results }: Report): string {
  const of = `of ${results.length} clauses`;
  if (failed > 0) return `${failed} ${of} failed, ${passed} passed, ${skipped} skipped`;
  return skipped > 0 ? `${passed} ${of} passed, ${skipped} skipped` : `${passed} ${of} passed`;
}

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
    `${paint(style, `${plain(target.name)} over HTTP/${target.http2 ? "2" : "1.1"}: ${verdict(report)}`)}`,
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
