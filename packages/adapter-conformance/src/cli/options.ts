import { parseCommand, type RunOptions, readRunOptions } from "@sessions/kit-command";
import { cases } from "../cases/index.ts";
import { covers } from "../check-target.ts";
import type { Rule } from "../target.ts";

/** The text of `--help`. */
export const HELP = `Usage: npx @sessions/adapter-conformance <module> [options]

Tests an adapter for an HTTP framework: runs the promises H1 and on of SPEC.md on it, over real sockets.
<module> is a JavaScript file that exports the adapter to test, as its default export or
as "target": { name, start(application), abilities }. The README lists the other properties.

Options:
  --rule <rule>   run only this promise (H4) or clause (H4.2); may be repeated
  --json          print the report as JSON
  --out <folder>  write conformance.svg, a badge, and conformance.md, a table
  --help          print this
  --version       print the kit's version

Exit status: 0 no clause failed, 1 a clause failed, 2 nothing could be run.
`;

const settings = {
  rule: { type: "string", multiple: true },
  json: { type: "boolean" },
  out: { type: "string" },
  help: { type: "boolean" },
  version: { type: "boolean" },
} as const;

const rules = {
  isRule: (text: string): text is Rule => cases.some(({ rule }) => covers(text, rule)),
  must: "a promise or a clause of SPEC.md, such as H4 or H4.2",
};

/**
 * Reads the command line.
 *
 * @throws UsageError that names the option.
 */
export function readOptions(args: readonly string[]): RunOptions<Rule> | "help" | "version" {
  const { values, positionals } = parseCommand("adapter-conformance", {
    args: [...args],
    allowPositionals: true,
    options: settings,
  });
  if (values.help) return "help";
  if (values.version) return "version";
  return readRunOptions(values, positionals, "./my-adapter.js", rules);
}
