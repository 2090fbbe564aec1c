import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SessionConfigError } from "../base/errors.ts";
import type { Driver } from "./contract.ts";
import { memoryDriver } from "./memory/driver.ts";

const DRIVERS = ["file", "sqlite", "postgres", "mysql", "mongodb", "redis", "dynamodb"];
const ALIASES = { postgresql: "postgres", mariadb: "mysql", "mongodb+srv": "mongodb", rediss: "redis" };
const PACKAGES = new Map(
  [...DRIVERS.map((name) => [name, name] as const), ...Object.entries(ALIASES)].map(([scheme, name]) => [
    scheme,
    `@sessions/driver-${name}`,
  ]),
);

/** The package manager that started this process names itself in the user agent: `pnpm/10.0.0 npm/? node/…` */
function installCommand(name: string): string {
  const manager = /^(pnpm|yarn|bun|npm)\//.exec(process.env["npm_config_user_agent"] ?? "")?.[1] ?? "npm";
  return `${manager} ${manager === "npm" ? "install" : "add"} ${name}`;
}

const isObject = (value: unknown): value is Record<string, unknown> => Object(value) === value;

/** The file that `import` would load. `require.resolve` does not find it in a package for `import` only. */
function importEntry(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  let entry = isObject(manifest) ? manifest["exports"] : undefined;
  while (isObject(entry)) entry = entry["."] ?? entry["import"] ?? entry["node"] ?? entry["default"];
  return join(folder, String(entry));
}

/**
 * Finds a package beside this one, or from the program's file, because package managers that isolate packages hide it
 * from this one. Never looks in the current folder, where others may write.
 */
function find(name: string): string | undefined {
  for (const from of [import.meta.url, process.argv[1] ?? ""]) {
    try {
      const { resolve } = createRequire(from);
      try {
        return resolve(name);
      } catch {
        const folder = resolve.paths(name)?.find((path) => existsSync(join(path, name, "package.json")));
        if (folder !== undefined) return importEntry(join(folder, name));
      }
    } catch {
      // There is no program, or the package is broken. The import reports it.
    }
  }
  return undefined;
}

/** Turns "package not found" into an error that says how to install it. Returns other errors as they are. */
function explain(error: unknown, scheme: string, known?: string): unknown {
  const notFound = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
  const name = (notFound && /package '([^']+)'/.exec(error.message)?.[1]) || known;
  if (name === undefined) return error;
  return new SessionConfigError(
    `${scheme}: needs the package ${name}, which cannot be found: run "${installCommand(name)}"`,
    { cause: error },
  );
}

/** A bundler cannot know which driver a deployment chooses. Without these comments Next.js refuses to build. */
const importAtRunTime = (address: string): Promise<unknown> =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ address);

async function importPackage(scheme: string, name: string): Promise<unknown> {
  const file = find(name);
  try {
    return await importAtRunTime(file === undefined ? name : pathToFileURL(file).href);
  } catch (cause) {
    // The driver is installed, but its client may be missing.
    throw explain(cause, scheme, file === undefined ? name : undefined);
  }
}

/** Does the work of `driverFromUrl`. Most programs do not need this module and its file system imports. */
export async function openDriver(
  url: string | undefined,
  packages: Readonly<Record<string, string>>,
): Promise<Driver> {
  if (!url)
    throw new SessionConfigError(
      "The URL of the sessions' backend is missing. Set the environment variable that holds it",
    );
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === "memory" && !Object.hasOwn(packages, scheme)) return memoryDriver();
  const known = new Map([...PACKAGES, ...Object.entries(packages)]);
  const name = known.get(scheme ?? "");
  if (scheme === undefined || name === undefined)
    // Do not show a text without a scheme: it may be a password, passed by mistake.
    throw new SessionConfigError(
      `${scheme === undefined ? "The URL of the sessions' backend has no scheme" : `No driver is known for ${scheme}:`}; known are memory:, ${[...known.keys()].map((key) => `${key}:`).join(", ")}`,
    );
  const module = await importPackage(scheme, name);
  const fromUrl = isObject(module) ? module["fromUrl"] : undefined;
  if (typeof fromUrl !== "function")
    throw new SessionConfigError(`The package ${name} exports no fromUrl(url)`);
  try {
    return await fromUrl(url);
  } catch (error) {
    throw explain(error, scheme);
  }
}
