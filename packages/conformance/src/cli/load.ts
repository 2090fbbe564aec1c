import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cases } from "../cases/index.ts";
import { checkTarget, type Target } from "../target.ts";
import { UsageError } from "./options.ts";
import { placeOf } from "./place.ts";
import { messageOf, nameOf, plain } from "./plain.ts";

const EXPECTED = "its default export, or an export named target, to be { name, open(namespace), ... }";

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

/** Advice on a module that Node could not load. */
function remedy(path: string, error: unknown): string {
  const code = codeOf(error);
  const typescript =
    (code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.[cm]?tsx?\b/.test(messageOf(error))) ||
    code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX" ||
    code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING";
  if (typescript)
    return (
      `\nThis version of Node cannot load that TypeScript file. Install tsx and run\n` +
      `  node --import tsx node_modules/@sessions/conformance/bin.js ${path}`
    );
  if (error instanceof SyntaxError) return `\nRun node --check ${path} to see where.`;
  return "";
}

async function imported(path: string, cwd: string): Promise<object> {
  const file = resolve(cwd, path);
  const found = await stat(file).catch(() => undefined);
  if (!found)
    throw new UsageError(`${path}: there is no such file. Expected a module, such as ./my-driver.js`);
  if (!found.isFile()) throw new UsageError(`${path}: expected a module, and found a folder or the like`);
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const place = placeOf(error, cwd);
    const from = place === undefined ? "" : ` (${place})`;
    const seen = `${nameOf(error)}: ${plain(messageOf(error))}${from}`;
    throw new UsageError(`${path}: the module cannot be loaded. ${seen}${remedy(path, error)}`);
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

const looksLikeTarget = (value: unknown): value is Target =>
  typeof value === "object" && value !== null && ("open" in value || "name" in value);

function found(exports: object): string {
  const names = Object.keys(exports).filter((name) => name !== "module.exports");
  if (names.length === 0) return "found no export";
  const kinds = names.map((name) => {
    const value = property(exports, name);
    const kind = value === null ? "null" : value instanceof Promise ? "a promise: await it" : typeof value;
    return `${plain(name)} (${kind})`;
  });
  return `found ${kinds.join(", ")}`;
}

/**
 * Loads the target that a module exports.
 *
 * @throws UsageError that names the file, the expected export and the exports that were found.
 */
export async function loadTarget(path: string, cwd: string): Promise<Target> {
  const exports = await imported(path, cwd);
  const main = property(exports, "default");
  // The last two are for CommonJS modules compiled from TypeScript.
  const candidates = [main, property(exports, "target"), property(main, "default"), property(main, "target")];
  const target = candidates.find(looksLikeTarget);
  if (!target) throw new UsageError(`${path}: expected ${EXPECTED}; ${found(exports)}`);
  try {
    checkTarget(
      target,
      cases.map(({ rule }) => rule),
    );
  } catch (error) {
    throw new UsageError(`${path}: ${plain(messageOf(error)).replace(/^conformance: /, "")}`);
  }
  return target;
}
