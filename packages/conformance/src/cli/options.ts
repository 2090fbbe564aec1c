import { parseCommand, type RunOptions, readRunOptions, UsageError } from "@sessions/kit-command";
import { cases } from "../cases/index.ts";
import { covers, type Rule } from "../target.ts";
import { readme, spec } from "./address.ts";

/** The options of the command line. */
export interface Options extends RunOptions<Rule> {
  readonly seed: number | undefined;
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

const rules = {
  isRule: (text: string): text is Rule => cases.some(({ rule }) => covers(text, rule)),
  must: "a rule or a clause of SPEC.md, such as R4 or R4.2",
};

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
  const { values, positionals } = parseCommand("conformance", {
    args: [...args],
    allowPositionals: true,
    options: settings,
  });
  if (values.help) return "help";
  if (values.version) return "version";
  return {
    ...readRunOptions(values, positionals, "./my-driver.js", rules),
    seed: values.seed === undefined ? undefined : seedOf(values.seed),
  };
}
