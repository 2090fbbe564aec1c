import { type ParseArgsConfig, parseArgs } from "node:util";
import { checkOptions } from "@sessions/core/driver-tools";
import { messageOf } from "./plain.ts";

/** The command cannot run as called. The message tells the user what to change. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The options that both commands take to run a kit. `R` is a rule's number. */
export interface RunOptions<R extends string> {
  /** The module's path, as given. */
  readonly module: string;
  readonly rules: readonly R[] | undefined;
  readonly json: boolean;
  /** The folder for the badge and the table. */
  readonly out: string | undefined;
}

/**
 * Parses a command line. `kit` begins the messages of `checkOptions`.
 *
 * @throws UsageError that names the option.
 */
export function parseCommand<const T extends ParseArgsConfig>(
  kit: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    // Parse loosely first, because checkOptions suggests the right name for an unknown option and Node does not.
    const { values } = parseArgs({ ...config, strict: false });
    checkOptions(kit, values, Object.keys(config.options ?? {}), "--");
    return parseArgs(config);
  } catch (error) {
    // Remove Node's hint about positional arguments after `--`, which does not help here.
    const message = messageOf(error).replace(/\. To specify a positional argument.*/s, "");
    throw new UsageError(message.replace(`${kit}: `, ""));
  }
}

interface Given {
  readonly rule?: string[] | undefined;
  readonly json?: boolean | undefined;
  readonly out?: string | undefined;
}

/**
 * Reads what both commands take. `example` is a module's path, `rules` says what a rule may be.
 *
 * @throws UsageError that names the option.
 */
export function readRunOptions<R extends string>(
  { rule, json = false, out }: Given,
  [module, more]: readonly string[],
  example: string,
  rules: { readonly isRule: (text: string) => text is R; readonly must: string },
): RunOptions<R> {
  if (!module) throw new UsageError(`Name the module to test, such as ${example}`);
  if (more !== undefined) throw new UsageError(`Name only one module, not "${module}" and "${more}"`);
  if (out === "") throw new UsageError("--out must name a folder");
  if (out !== undefined && rule)
    throw new UsageError(
      "--out cannot be combined with --rule, because a badge for some of the clauses would mislead. Leave one of them out",
    );
  const ruleOf = (text: string): R => {
    if (rules.isRule(text)) return text;
    throw new UsageError(`--rule must be ${rules.must}, not "${text}"`);
  };
  return { module, rules: rule?.map(ruleOf), json, out };
}
