import { parseArgs } from "node:util";
import { FolderError, makePackage } from "./files.ts";
import { addressOf, type Kind } from "./kind.ts";
import { type Names, nameRule, namesOf } from "./names.ts";

/** What the command uses of its process. */
export interface Surroundings {
  /** The new folder is made in this one. */
  readonly cwd: string;
  /** Writes to the standard output. */
  out(text: string): void;
  /** Writes errors. */
  err(text: string): void;
  /** Asks the user. Returns `undefined` without an answer. Missing if there is no terminal. */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined;
}

const usage = ({ kind, subject, examples: [name] }: Kind) => `Starts a package for your own session ${kind}.

  npm create @sessions/${kind} <name>

<name> is that of the ${subject} (${name}) or of the package (@me/${kind}-${name}, sessions-${kind}-${name}).

  --help      prints this text
  --version   prints the version of this command
`;

function nextSteps(kind: Kind, names: Names): string {
  const { folder, owner } = names;
  return `Made ${folder}. Now write ${kind.task(names)}.

  cd ${folder}
  npm install
  npm test

Each failing test names ${kind.unit}, and the rule that it must keep.
The rules: ${addressOf(kind, "SPEC.md")}
The guide: ${addressOf(kind, kind.guide)}

Before you publish, look at "repository" in package.json: it says github.com/${owner}/${folder}.
`;
}

function parse(args: readonly string[]): { help: boolean; version: boolean; names: string[] } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" }, version: { type: "boolean", short: "v" } },
  });
  return { help: values.help ?? false, version: values.version ?? false, names: positionals };
}

/** The command without its process. Returns the exit status: 0, 1 if the folder cannot be made, 2 for wrong usage. */
export async function main(
  kind: Kind,
  args: readonly string[],
  { cwd, out, err, ask }: Surroundings,
): Promise<0 | 1 | 2> {
  const [name] = kind.examples;
  const example = (problem: string) => `${problem}\nFor example: npm create @sessions/${kind.kind} ${name}\n`;
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Replace Node's hint about positional arguments, which does not help here.
    err(example(message.replace(/\. To specify a positional argument.*/s, ". Known: --help, --version.")));
    return 2;
  }
  if (parsed.help) {
    out(usage(kind));
    return 0;
  }
  if (parsed.version) {
    out(`${kind.manifest.version}\n`);
    return 0;
  }
  const [given, ...more] = parsed.names;
  if (more.length > 0) {
    err(example(`Give one name only; got ${parsed.names.map((name) => JSON.stringify(name)).join(", ")}.`));
    return 2;
  }
  const question = `Name of the ${kind.subject} (${name}) or of the package (@me/${kind.kind}-${name}): `;
  const asked = given ?? (await ask?.(question))?.trim();
  if (asked === undefined) {
    err(example(`A name is missing. Give the name of the ${kind.subject} or of the package.`));
    return 2;
  }
  const names = namesOf(kind, asked);
  if (names === undefined) {
    err(example(`The name must be ${nameRule(kind)}; got ${JSON.stringify(asked)}.`));
    return 2;
  }
  try {
    await makePackage(kind, names, cwd);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    err(error instanceof FolderError ? `${reason}\n` : `Nothing was made: ${reason}\n`);
    return 1;
  }
  out(nextSteps(kind, names));
  return 0;
}
