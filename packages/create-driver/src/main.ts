import { parseArgs } from "node:util";
import { FolderError, makePackage } from "./files.ts";
import { NAME_RULE, type Names, namesOf } from "./names.ts";
import { addressOf, ownVersion } from "./versions.ts";

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

const USAGE = `Starts a package for your own session driver.

  npm create @sessions/driver <name>

<name> is that of the backend (leveldb) or of the package (@me/driver-leveldb, sessions-driver-leveldb).

  --help      prints this text
  --version   prints the version of this command
`;

const example = (problem: string) => `${problem}\nFor example: npm create @sessions/driver leveldb\n`;

function nextSteps({ folder, title, owner, camel }: Names): string {
  return `Made ${folder}. Now write ${camel}Driver, which keeps sessions in ${title}.

  cd ${folder}
  npm install
  npm test

Each failing test names a method in src/index.ts, and the rule that it must keep.
The rules: ${addressOf("SPEC.md")}
The guide: ${addressOf("docs/writing-a-driver.md")}

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
  args: readonly string[],
  { cwd, out, err, ask }: Surroundings,
): Promise<0 | 1 | 2> {
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
    out(USAGE);
    return 0;
  }
  if (parsed.version) {
    out(`${ownVersion}\n`);
    return 0;
  }
  const [given, ...more] = parsed.names;
  if (more.length > 0) {
    err(example(`Give one name only; got ${parsed.names.map((name) => JSON.stringify(name)).join(", ")}.`));
    return 2;
  }
  const question = "Name of the backend (leveldb) or of the package (@me/driver-leveldb): ";
  const asked = given ?? (await ask?.(question))?.trim();
  if (asked === undefined) {
    err(example("A name is missing. Give the name of the backend or of the package."));
    return 2;
  }
  const names = namesOf(asked);
  if (names === undefined) {
    err(example(`The name must be ${NAME_RULE}; got ${JSON.stringify(asked)}.`));
    return 2;
  }
  try {
    await makePackage(names, cwd);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    err(error instanceof FolderError ? `${reason}\n` : `Nothing was made: ${reason}\n`);
    return 1;
  }
  out(nextSteps(names));
  return 0;
}
