import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const SOURCE = "@sessions/source";

interface Example {
  /** The source file, from the root. */
  readonly file: string;
  /** The line of the first line of code, from 1. */
  readonly line: number;
  readonly code: string;
}

/** The code behind each `@example`, up to the next tag or the end of the docstring. */
function examplesOf(file: string, text: string): Example[] {
  const examples: Example[] = [];
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const lines = comment[0].slice(0, -2).split("\n");
    const firstLine = text.slice(0, comment.index).split("\n").length;
    const contents = lines.map((line) => line.replace(/^\s*(\/\*\*|\*) ?/, "").trimEnd());
    for (const [index, content] of contents.entries()) {
      if (!content.startsWith("@example")) continue;
      const end = contents.findIndex((other, at) => at > index && /^@[a-z]/i.test(other));
      const block = contents.slice(index + 1, end < 0 ? undefined : end);
      // Keep the line of a fence, so that line numbers stay right.
      const code = block.map((line) => (line.startsWith("```") ? "" : line)).join("\n");
      examples.push({ file, line: firstLine + index + 1, code });
    }
  }
  return examples;
}

/** The entries of all packages: where they are, and what they export. */
interface Entries {
  /** The source file of each entry, by its specifier. */
  readonly paths: Readonly<Record<string, [string]>>;
  /** The import of each exported name, by package folder and name. */
  readonly imports: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** The names that an entry exports, each with whether it is a type. Entries name what they export, one by one. */
function exportedNames(path: string): Map<string, boolean> {
  const names = new Map<string, boolean>();
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
  for (const statement of source.statements) {
    if (
      ts.isExportDeclaration(statement) &&
      statement.exportClause &&
      ts.isNamedExports(statement.exportClause)
    )
      for (const { name, isTypeOnly } of statement.exportClause.elements)
        names.set(name.text, statement.isTypeOnly || isTypeOnly);
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) continue;
    if (ts.isFunctionDeclaration(statement) && statement.name) names.set(statement.name.text, false);
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
      names.set(statement.name.text, true);
    if (ts.isVariableStatement(statement))
      for (const { name } of statement.declarationList.declarations)
        if (ts.isIdentifier(name)) names.set(name.text, false);
  }
  return names;
}

function readEntries(folders: readonly string[]): Entries {
  const paths: Record<string, [string]> = {};
  const imports = new Map<string, Map<string, string>>();
  for (const folder of folders) {
    const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const own = new Map<string, string>();
    imports.set(folder, own);
    for (const [path, conditions] of Object.entries<Record<string, string>>(manifest.exports)) {
      const source = conditions[SOURCE];
      if (source === undefined) continue;
      const specifier = manifest.name + path.slice(1);
      const file = join(root, folder, source);
      paths[specifier] = [file];
      for (const [name, isType] of exportedNames(file))
        own.set(name, `import { ${isType ? "type " : ""}${name} } from "${specifier}";`);
    }
  }
  return { paths, imports };
}

/** The imports that an example leaves out, in one line, so that the lines of the example stay what they are. */
function importsFor({ file, code }: Example, { imports }: Entries): string {
  if (/^import /m.test(code)) return "";
  const own = imports.get(file.split("/").slice(0, 2).join("/"));
  const used = new Set(code.match(/(?<![.\w$])[A-Za-z_$][\w$]*/g));
  return [...used].flatMap((name) => own?.get(name) ?? []).join(" ");
}

/** Compiles the examples in one program, each as a module beside the file that it comes from. */
function problemsOf(examples: readonly Example[], entries: Entries): string[] {
  const options: ts.CompilerOptions = {
    ...ts.getParsedCommandLineOfConfigFile(
      join(root, "tsconfig.base.json"),
      {},
      {
        ...ts.sys,
        onUnRecoverableConfigFileDiagnostic: () => {},
      },
    )?.options,
    isolatedDeclarations: false,
    declaration: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    // Readers write process.env.NAME.
    noPropertyAccessFromIndexSignature: false,
    paths: { ...entries.paths },
  };
  const modules = new Map(
    examples.map((example) => {
      const name = join(root, example.file).replace(/\.ts$/, `.example-${example.line}.ts`);
      const text = `${importsFor(example, entries)} export {};\n${example.code}\n`;
      return [name.replaceAll("\\", "/"), { example, text }] as const;
    }),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => modules.has(name) || fileExists(name);
  host.readFile = (name) => modules.get(name)?.text ?? readFile(name);
  host.getSourceFile = (name, target, ...rest) => {
    const text = modules.get(name)?.text;
    return text === undefined
      ? getSourceFile(name, target, ...rest)
      : ts.createSourceFile(name, text, target);
  };
  const program = ts.createProgram({ rootNames: [...modules.keys()], options, host });
  return [...modules].flatMap(([name, { example }]) => {
    const source = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start = 0 }) => {
        // The first line of the module is that of the imports.
        const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) - 1 + example.line;
        return `${example.file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
      },
    );
  });
}

const folders = readdirSync(join(root, "packages"))
  .map((name) => `packages/${name}`)
  .filter((folder) => existsSync(join(root, folder, "package.json")));

const examples = folders.flatMap((folder) =>
  readdirSync(join(root, folder, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(root, folder, "src", path))
    .flatMap((path) => examplesOf(relative(root, path).replaceAll("\\", "/"), readFileSync(path, "utf8"))),
);

const WRONG = "packages/core/src/wrong.ts";
const wrong = examplesOf(
  WRONG,
  [
    "/**",
    " * Starts the sweeping.",
    " *",
    " * @example",
    " * const sessions = createSessionManager();",
    ' * sessions.startSweeping({ evry: "1h" });',
    " * @returns Nothing.",
    " */",
  ].join("\n"),
);

let problems: readonly string[];

beforeAll(() => {
  problems = problemsOf([...examples, ...wrong], readEntries(folders));
}, 180_000); // the compiler takes its time on a busy machine

test("every @example in the docstrings of the packages compiles", () => {
  expect(examples.length).toBeGreaterThan(0);
  expect(problems.filter((problem) => !problem.startsWith(WRONG))).toEqual([]);
});

test("an @example that does not compile is named by file and line", () => {
  expect(problems.filter((problem) => problem.startsWith(WRONG))).toEqual([
    expect.stringMatching(/wrong\.ts:6: .*'evry'/),
  ]);
});
