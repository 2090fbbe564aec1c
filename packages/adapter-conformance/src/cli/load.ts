import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cases } from "../cases/index.ts";
import { checkTarget } from "../check-target.ts";
import type { Target } from "../target.ts";
import { UsageError } from "./options.ts";
import { messageOf, nameOf, plain } from "./plain.ts";

async function imported(path: string, cwd: string): Promise<object> {
  const file = resolve(cwd, path);
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile())
    throw new UsageError(`${path}: there is no such file. Expected a module, such as ./my-adapter.js`);
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const typescript = /\.[cm]?tsx?$/.test(path)
      ? `\nIf this version of Node cannot load TypeScript, install tsx and run\n  node --import tsx node_modules/@sessions/adapter-conformance/bin.js ${path}`
      : "";
    throw new UsageError(
      `${path}: the module cannot be loaded. ${nameOf(error)}: ${plain(messageOf(error))}${typescript}`,
    );
  }
}

const property = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

const looksLikeTarget = (value: unknown): value is Target =>
  typeof value === "object" && value !== null && ("start" in value || "name" in value);

/**
 * Loads the target that a module exports.
 *
 * @throws UsageError that names the file, the expected export and the exports that were found.
 */
export async function loadTarget(path: string, cwd: string): Promise<Target> {
  const exports = await imported(path, cwd);
  const main = property(exports, "default");
  // The last one is for CommonJS modules.
  const target = [main, property(exports, "target"), property(main, "target")].find(looksLikeTarget);
  if (!target) {
    const names = Object.keys(exports).map(plain).join(", ") || "no export";
    throw new UsageError(
      `${path}: expected its default export, or an export named target, to be { name, start(application), ... }; found ${names}`,
    );
  }
  try {
    checkTarget(
      target,
      cases.map(({ rule }) => rule),
    );
  } catch (error) {
    throw new UsageError(`${path}: ${plain(messageOf(error)).replace(/^adapter-conformance: /, "")}`);
  }
  return target;
}
