import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Names } from "./names.ts";
import { versions } from "./versions.ts";

const template = fileURLToPath(new URL("../template/", import.meta.url));

/** Why a folder cannot be made; the message is for whoever asked for it. */
export class FolderError extends Error {}

/** What stands in the template's files between two underscores on either side. */
function valuesOf(names: Names): Map<string, string> {
  const { core, conformance } = versions;
  return new Map([
    ["package", names.package],
    ["backend", names.backend],
    ["camel", names.camel],
    ["Pascal", names.pascal],
    ["year", String(new Date().getFullYear())],
    ["core", `^${core}`],
    // A caret would make every new version of core before 1.0.0 a major one of the driver.
    ["corePeer", `>=${core} <${Number.parseInt(core, 10) + 1}.0.0`],
    ["conformance", `^${conformance}`],
  ]);
}

function fillIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/__([A-Za-z]+)__/g, (placeholder, key: string) => {
    const value = values.get(key);
    if (value === undefined) throw new Error(`The template has an unknown placeholder ${placeholder}`);
    return value;
  });
}

/** npm leaves a .gitignore out of what it publishes, and tools would take a package.json for one of their own. */
function finalPath(path: string): string {
  return path === "_package.json" ? "package.json" : path.replace(/^_/, ".");
}

/** Path and text of every file of a driver's package. */
async function filesOf(names: Names): Promise<{ path: string; text: string }[]> {
  const values = valuesOf(names);
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

/** Whether the folder is there, and empty. @throws FolderError where it is there and has something in it. */
async function isEmpty(folder: string): Promise<boolean> {
  let found: string[];
  try {
    found = await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    if (codeOf(error) === "ENOTDIR") throw new FolderError(`${folder} is there already, and is no folder`);
    throw error;
  }
  if (found.length > 0)
    throw new FolderError(`${folder} is there already, and is not empty: it holds ${found[0]}`);
  return true;
}

/**
 * Makes the package in a new folder below `parent`, or in one that is empty: all of it or nothing, for it is written
 * beside its place and then moved there.
 *
 * @returns the folder's path.
 * @throws FolderError where something is in the way; nothing is overwritten.
 */
export async function makePackage(names: Names, parent: string): Promise<string> {
  const folder = join(parent, names.folder);
  const wasEmpty = await isEmpty(folder);
  const draft = join(parent, `.${names.folder}-${randomBytes(4).toString("hex")}`);
  try {
    for (const { path, text } of await filesOf(names)) {
      await mkdir(dirname(join(draft, path)), { recursive: true });
      await writeFile(join(draft, path), text);
    }
    if (wasEmpty) await rmdir(folder);
    // Fails where somebody else made the folder meanwhile and put something into it.
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return folder;
}
