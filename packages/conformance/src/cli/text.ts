import { styleText } from "node:util";
import { cut, isOf, messageOf, nameOf, placeOf, plain, plainLines, wrap } from "@sessions/kit-command";
import CliTable from "cli-table3";
import { adviceOn } from "../advice.ts";
import { line } from "../environment.ts";
import type { Report, Result } from "../run.ts";
import type { Target } from "../target.ts";
import { addressOf } from "./address.ts";
import { ROOT } from "./root.ts";
import { byRule, skips, titleAndReason, verdict } from "./summary.ts";

/** Settings of the printed report. */
export interface TextOptions {
  readonly colour: boolean;
  /** How many characters fit into a line. */
  readonly width: number;
  readonly cwd: string;
  /** The command line that runs the same again. */
  readonly again: string;
}

type Paint = (style: "red" | "green" | "yellow" | "bold" | "dim", text: string) => string;

function painter(colour: boolean): Paint {
  // validateStream is off, because the caller has already asked whether the terminal shows colours.
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
}

function table(report: Report, paint: Paint): string {
  const count = (style: "red" | "green" | "yellow", n: number) => (n > 0 ? paint(style, String(n)) : "");
  const lines = new CliTable({
    head: ["Rule", "", "Passed", "Failed", "Skipped"],
    style: { head: [], border: [] },
    colAligns: ["left", "left", "right", "right", "right"],
    // No lines between rows, to keep the table short.
    chars: { mid: "", "mid-mid": "", "left-mid": "", "right-mid": "" },
  });
  for (const { rule, heading, passed, failed, skipped } of byRule(report))
    lines.push([rule, heading, count("green", passed), count("red", failed), count("yellow", skipped)]);
  return lines.toString();
}

/** What a case saw. For an error that the kit did not throw, also its class, its cause and where it began. */
function seen(error: unknown, cwd: string): string[] {
  if (isOf(ROOT, error)) return plainLines(messageOf(error), 40);
  const lines = plainLines(`${nameOf(error)}: ${messageOf(error)}`, 12);
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause !== undefined) lines.push(`caused by ${nameOf(cause)}: ${cut(plain(messageOf(cause)), 200)}`);
  const place = placeOf(ROOT, error, cwd);
  if (place !== undefined) lines.push(`at ${place}`);
  return lines;
}

function failure(result: Result, { cwd, width }: TextOptions, paint: Paint): string {
  const { rule, title, error, step, before } = result;
  const what = seen(error, cwd).map((line) => `    ${line}`.trimEnd());
  return [
    paint("red", `${rule} ${title}`),
    ...(before === undefined
      ? []
      : [
          paint("dim", "  Before that"),
          `    ${before.call} rejected: ${cut(plain(line(before.error)), 300)}`,
        ]),
    paint("dim", step === undefined ? "  Seen" : `  Seen, in the step: ${plain(step)}`),
    ...what,
    paint("dim", "  What to change"),
    wrap(adviceOn(result), width, "    "),
    paint("dim", "  Where to read"),
    `    ${rule} in ${addressOf(rule)}`,
  ].join("\n");
}

function skipped(report: Report, target: Target, width: number): string[] {
  return skips(report, target).map(({ reason, excluded, rules }) => {
    const why = excluded ? `Excluded: ${plain(reason)}` : plain(reason);
    return `${wrap(why, width, "  ")}\n${wrap(rules.join(", "), width, "    ")}`;
  });
}

/** A report for people to read. */
export function textOf(report: Report, target: Target, options: TextOptions): string {
  const paint = painter(options.colour);
  const failures = report.results.filter(({ status }) => status === "failed");
  const sections = [table(report, paint)];
  if (failures.some(({ rule }) => rule === "R14.1"))
    sections.push(
      wrap(
        "Fix R14.1 first: if namespaces share records, no other result means anything.",
        options.width,
        "",
      ),
    );
  sections.push(...failures.map((result) => failure(result, options, paint)));
  const left = skipped(report, target, options.width);
  if (left.length > 0) sections.push(`${paint("bold", "Skipped")}\n${left.join("\n")}`);
  const style = report.failed > 0 ? "red" : report.passed > 0 ? "green" : "yellow";
  sections.push(
    `${paint(style, `${plain(target.name)}: ${verdict(report)}`)}\n` +
      `Seed ${report.seed}. The same again: ${options.again}`,
  );
  return `${sections.join("\n\n")}\n`;
}

/** A report for programs to read. */
export function jsonOf(report: Report, target: Target, again: string): string {
  const results = report.results.map((result) => {
    const { title, reason } = titleAndReason(result);
    const { rule, status, error } = result;
    if (status !== "failed") return { rule, title, status, ...(reason !== undefined && { reason }) };
    const shown = { name: nameOf(error), message: messageOf(error) };
    const { step, before } = result;
    return {
      rule,
      title,
      status,
      error: shown,
      ...(step !== undefined && { step }),
      ...(before && {
        before: { call: before.call, name: nameOf(before.error), message: messageOf(before.error) },
      }),
      advice: adviceOn(result),
      read: addressOf(rule),
    };
  });
  const { passed, failed, skipped: left, seed, profile } = report;
  const all = { target: target.name, profile, passed, failed, skipped: left, seed, again, results };
  // JSON.stringify does not escape these characters, but a terminal acts on them.
  return `${JSON.stringify(all, undefined, 2).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )}\n`;
}
