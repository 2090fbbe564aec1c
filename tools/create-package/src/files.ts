import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { addressOf, type Kind } from "./kind.ts";
import type { Names } from "./names.ts";

/** The folder cannot be made. The message is for the user of the command. */
export class FolderError extends Error {}

/** The values of the template's placeholders, such as `__package__`. */
function valuesOf(kind: Kind, names: Names): Map<string, string> {
  const { core, conformance } = kind.versions;
  return new Map([
    ["package", names.package],
    ["folder", names.folder],
    [kind.subject, names.subject],
    ["title", names.title],
    ["owner", names.owner],
    ["spec", addressOf(kind, "SPEC.md")],
    ["camel", names.camel],
    ["Pascal", names.pascal],
    ["year", String(new Date().getFullYear())],
    ["core", `^${core}`],
    // With a caret, every new version of core before 1.0.0 would force a major version of the package.
    ["corePeer", `>=${core} <${Number.parseInt(core, 10) + 1}.0.0`],
    ["conformance", `^${conformance}`],
  ]);
}

function fillIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/__([A-Za-z]+)__/g, (placeholder, key: string) => {
    const value = values.get(key);
    if (value === undefined)
      throw new Error(
        `create-package: the template has an unknown placeholder ${placeholder}. Add its value to valuesOf().`,
      );
    return value;
  });
}

/** npm publishes no .gitignore, and tools would read the template's package.json as one of this repository. */
function finalPath(path: string): string {
  return path === "_package.json" ? "package.json" : path.replace(/^_/, ".");
}

/** Path and text of every file of the new package. */
async function filesOf(kind: Kind, names: Names): Promise<{ path: string; text: string }[]> {
  const values = valuesOf(kind, names);
  const template = fileURLToPath(kind.template);
  const entries = await readdir(template, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(template.length));
  return Promise.all(
    paths.map(async (path) => ({
      path: finalPath(path),
      text: fillIn(await readFile(join(template, path), "utf8"), values),
    })),
  );
}

const codeOf = (error: unknown): unknown => Object(error).code;

/** Whether the folder exists and is empty. @throws FolderError if it exists and is not an empty folder. */
async function isEmpty(folder: string): Promise<boolean> {
  let found: string[];
  try {
    found = await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    if (codeOf(error) === "ENOTDIR")
      throw new FolderError(`${folder} exists and is not a folder. Remove it, or choose another name.`);
    throw error;
  }
  if (found.length > 0)
    throw new FolderError(`${folder} exists and is not empty: it holds ${found[0]}. Choose another name.`);
  return true;
}

/**
 * Makes the package in a new or empty folder below `parent`. It makes all files or none: it writes them to a draft folder
 * beside the place, and then moves that.
 *
 * @returns the folder's path.
 * @throws FolderError if something is in the way. Nothing is overwritten.
 */
export async function makePackage(kind: Kind, names: Names, parent: string): Promise<string> {
  const folder = join(parent, names.folder);
  const wasEmpty = await isEmpty(folder);
  const draft = join(parent, `.${names.folder}-${randomBytes(4).toString("hex")}`);
  try {
    for (const { path, text } of await filesOf(kind, names)) {
      await mkdir(dirname(join(draft, path)), { recursive: true });
      await writeFile(join(draft, path), text);
    }
    if (wasEmpty) await rmdir(folder);
    // Fails if another process meanwhile made the folder and put something into it.
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return folder;
}
