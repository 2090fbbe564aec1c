import { parseArgs } from "node:util";
import { checkOptions } from "@sessions/core/adapter-tools";
import { cases } from "../cases/index.ts";
import { covers } from "../check-target.ts";
import type { Rule } from "../target.ts";
import { messageOf } from "./plain.ts";

/** The options of the command line. */
export interface Options {
  /** The module's path, as given. */
  readonly module: string;
  readonly rules: readonly Rule[] | undefined;
  readonly json: boolean;
  /** The folder for the badge and the table. */
  readonly out: string | undefined;
}

/** The command cannot run as called. The message tells the user what to change. */
export class UsageError extends Error {
  override name = "UsageError";
}

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

function parsed(args: readonly string[]) {
  const config = { args: [...args], allowPositionals: true, options: settings } as const;
  try {
    // Parse loosely first, because checkOptions suggests the right name for an unknown option and Node does not.
    const { values } = parseArgs({ ...config, strict: false });
    checkOptions("adapter-conformance", values, Object.keys(settings), "--");
    return parseArgs(config);
  } catch (error) {
    // Remove Node's hint about positional arguments after `--`, which does not help here.
    const message = messageOf(error).replace(/\. To specify a positional argument.*/s, "");
    throw new UsageError(message.replace(/^adapter-conformance: /, ""));
  }
}

const isRule = (text: string): text is Rule => cases.some(({ rule }) => covers(text, rule));

function rulesOf(texts: readonly string[]): Rule[] {
  return texts.map((text) => {
    if (isRule(text)) return text;
    throw new UsageError(
      `--rule must be a promise or a clause of SPEC.md, such as H4 or H4.2, not "${text}"`,
    );
  });
}

/**
 * Reads the command line.
 *
 * @throws UsageError that names the option.
 */
export function readOptions(args: readonly string[]): Options | "help" | "version" {
  const { values, positionals } = parsed(args);
  if (values.help) return "help";
  if (values.version) return "version";
  const [module, more] = positionals;
  if (!module) throw new UsageError("Name the module to test, such as ./my-adapter.js");
  if (more !== undefined) throw new UsageError(`Name only one module, not "${module}" and "${more}"`);
  const { rule, json = false, out } = values;
  if (out === "") throw new UsageError("--out must name a folder");
  if (out !== undefined && rule)
    throw new UsageError(
      "--out cannot be combined with --rule, because a badge for some of the clauses would mislead. Leave one of them out",
    );
  return { module, rules: rule && rulesOf(rule), json, out };
}
