import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "./arguments.ts";
import { placeOf } from "./place.ts";
import { messageOf, nameOf, plain } from "./plain.ts";

/** What a kit says of the module that it loads. */
export interface Expected<T extends object> {
  /** The kit's name in messages: `"conformance"`. */
  readonly kit: string;
  /** A module's path: `"./my-driver.js"`. */
  readonly example: string;
  /** The properties of a target, as messages show them. */
  readonly shape: string;
  readonly looksLikeTarget: (value: unknown) => value is T;
  readonly check: (target: T) => void;
  /** The folder of the kit's own code. */
  readonly root: URL;
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

/** Advice on a module that Node could not load. */
function remedy(kit: string, path: string, error: unknown): string {
  const code = codeOf(error);
  const typescript =
    (code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.[cm]?tsx?\b/.test(messageOf(error))) ||
    code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX" ||
    code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING";
  if (typescript)
    return (
      `\nThis version of Node cannot load that TypeScript file. Install tsx and run\n` +
      `  node --import tsx node_modules/@sessions/${kit}/bin.js ${path}`
    );
  if (error instanceof SyntaxError) return `\nRun node --check ${path} to see where.`;
  return "";
}

async function imported<T extends object>(path: string, cwd: string, expected: Expected<T>): Promise<object> {
  const file = resolve(cwd, path);
  const found = await stat(file).catch(() => undefined);
  if (!found)
    throw new UsageError(`${path}: there is no such file. Expected a module, such as ${expected.example}`);
  if (!found.isFile()) throw new UsageError(`${path}: expected a module, and found a folder or the like`);
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const place = placeOf(expected.root, error, cwd);
    const from = place === undefined ? "" : ` (${place})`;
    const seen = `${nameOf(error)}: ${plain(messageOf(error))}${from}`;
    throw new UsageError(`${path}: the module cannot be loaded. ${seen}${remedy(expected.kit, path, error)}`);
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function namesIn(exports: object): string {
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
export async function exportedTarget<T extends object>(
  path: string,
  cwd: string,
  expected: Expected<T>,
): Promise<T> {
  const exports = await imported(path, cwd, expected);
  const main = property(exports, "default");
  // The last two are for CommonJS modules compiled from TypeScript.
  const candidates = [main, property(exports, "target"), property(main, "default"), property(main, "target")];
  const target = candidates.find(expected.looksLikeTarget);
  if (!target)
    throw new UsageError(
      `${path}: expected its default export, or an export named target, to be ${expected.shape}; ${namesIn(exports)}`,
    );
  try {
    expected.check(target);
  } catch (error) {
    throw new UsageError(`${path}: ${plain(messageOf(error)).replace(`${expected.kit}: `, "")}`);
  }
  return target;
}
