import { parseArgs } from "node:util";
import { checkOptions } from "@sessions/core/driver-tools";
import { cases } from "../cases/index.ts";
import { covers, type Rule } from "../target.ts";
import { readme, spec } from "./address.ts";
import { messageOf } from "./plain.ts";

/** The options of the command line. */
export interface Options {
  /** The module's path, as given. */
  readonly module: string;
  readonly seed: number | undefined;
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
export const HELP: string = `Usage: npx @sessions/conformance <module> [options]

Tests a session driver: runs the clauses of its contract on it, one after the other.
<module> is a JavaScript file that exports the driver to test, as its default export or
as "target": { name, open(namespace) }.

The contract:             ${spec}
A target's other options: ${readme}

Options:
  --rule <rule>   run only this rule (R4) or clause (R4.2); may be repeated
  --seed <n>      repeat the random cases of an earlier run
  --json          print the report as JSON
  --out <folder>  write conformance.svg, a badge, and conformance.md, a table
  --help          print this
  --version       print the kit's version

Exit status: 0 no clause failed, 1 a clause failed, 2 nothing could be run,
for example because the backend is not started.
`;

const settings = {
  rule: { type: "string", multiple: true },
  seed: { type: "string" },
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
    checkOptions("conformance", values, Object.keys(settings), "--");
    return parseArgs(config);
  } catch (error) {
    // Remove Node's hint about positional arguments after `--`, which does not help here.
    const message = messageOf(error).replace(/\. To specify a positional argument.*/s, "");
    throw new UsageError(message.replace(/^conformance: /, ""));
  }
}

function isRule(text: string): text is Rule {
  return cases.some(({ rule }) => covers(text, rule));
}

function rulesOf(texts: readonly string[]): Rule[] {
  return texts.map((text) => {
    if (isRule(text)) return text;
    throw new UsageError(`--rule must be a rule or a clause of SPEC.md, such as R4 or R4.2, not "${text}"`);
  });
}

function seedOf(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= 0x7fffffff) return Number(text);
  throw new UsageError(`--seed must be a whole number from 0 to 2147483647, not "${text}"`);
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
  if (!module) throw new UsageError("Name the module to test, such as ./my-driver.js");
  if (more !== undefined) throw new UsageError(`Name only one module, not "${module}" and "${more}"`);
  if (values.out === "") throw new UsageError("--out must name a folder");
  if (values.out !== undefined && values.rule)
    throw new UsageError(
      "--out cannot be combined with --rule, because a badge for some of the clauses would mislead. Leave one of them out",
    );
  return {
    module,
    seed: values.seed === undefined ? undefined : seedOf(values.seed),
    rules: values.rule && rulesOf(values.rule),
    json: values.json === true,
    out: values.out,
  };
}
