import { parseArgs } from "node:util";
import { FolderError, makePackage } from "./files.ts";
import { NAME_RULE, type Names, namesOf } from "./names.ts";
import { ownVersion } from "./versions.ts";

/** What the command has to do with the world. */
export interface Surroundings {
  /** The folder below which the new one is made. */
  readonly cwd: string;
  /** Writes to whoever started the command. */
  out(text: string): void;
  /** Writes what went wrong. */
  err(text: string): void;
  /** Asks a question, which may stay without an answer; missing where nobody is there to give one. */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined;
}

const USAGE = `Begins a package with a session driver of your own.

  npm create @sessions/driver <name>

<name> is the backend's (leveldb) or the package's (@me/driver-leveldb, sessions-driver-leveldb).

  --help      prints this
  --version   prints the version of this command
`;

const example = (problem: string) => `${problem}\nFor example: npm create @sessions/driver leveldb\n`;

function nextSteps({ folder, backend, camel }: Names): string {
  return `Made ${folder}: ${camel}Driver, for sessions in ${backend}, is yours to write.

  cd ${folder}
  npm install
  npm test

Each test that fails names a method in src/index.ts, and its rule in SPEC.md.
The guide is docs/writing-a-driver.md; both are in the repository of @sessions/core.
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

/** The command without its process. Answers the exit status: 0, 1 where the folder cannot be made, 2 for wrong usage. */
export async function main(
  args: readonly string[],
  { cwd, out, err, ask }: Surroundings,
): Promise<0 | 1 | 2> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // What Node adds about positional arguments helps nobody here.
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
    err(example(`One name is enough; got ${parsed.names.map((name) => JSON.stringify(name)).join(", ")}`));
    return 2;
  }
  const question = "What does the driver keep sessions in, or what is the package called? ";
  const asked = given ?? (await ask?.(question))?.trim();
  if (asked === undefined) {
    err(example("A name is missing: what the driver keeps sessions in, or what its package is called."));
    return 2;
  }
  const names = namesOf(asked);
  if (names === undefined) {
    err(example(`The name must be ${NAME_RULE}; got ${JSON.stringify(asked)}`));
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
