import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { SessionConfigError } from "../base/errors.ts";
import { checkOption, hasOwnKeys } from "../base/options.ts";
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

/** The file of the program that Node runs. */
const program = (): string => process.argv[1] ?? "";

/**
 * Finds a package beside this one, or from the program's file, because package managers that isolate packages hide it
 * from this one. By default it does not look in the current folder, where others may write.
 */
function find(name: string, places: readonly string[] = [import.meta.url, program()]): string | undefined {
  for (const from of places) {
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

/** The dependencies of the nearest package.json above a file that have this name in a scope: `@acme/<name>`. */
function scopedNames(name: string, file: string): string[] {
  if (file === "") return [];
  let folder = dirname(file);
  while (!existsSync(join(folder, "package.json")) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    const text = readFileSync(join(folder, "package.json"), "utf8");
    const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(text);
    return Object.keys(dependencies).filter((key) => /^@[^/]+\/[^/]+$/.test(key) && key.endsWith(`/${name}`));
  } catch {
    // There is none, or it is broken.
    return [];
  }
}

/** A package and its file; without a file it is not installed. */
interface Found {
  readonly name: string;
  readonly file: string | undefined;
}

/**
 * Finds the driver for a scheme that nothing else names. The current folder comes last, for programs that were installed
 * elsewhere: what others put there never wins over a package beside this one or the program.
 *
 * @throws SessionConfigError if two packages fit.
 */
function search(scheme: string): Found | undefined {
  const plain = `sessions-driver-${scheme}`;
  const inFolder = join(process.cwd(), "package.json");
  let missing: Found | undefined;
  for (const places of [[import.meta.url, program()], [inFolder]]) {
    const all = [plain, ...scopedNames(plain, places.at(-1) ?? "")].map(
      (name): Found => ({ name, file: find(name, places) }),
    );
    const [found, other] = all.filter(({ file }) => file !== undefined);
    if (found && other)
      throw new SessionConfigError(
        `${scheme}: two packages fit, ${found.name} and ${other.name}. Remove one, or choose: driverFromUrl(url, { "${scheme}": "${found.name}" })`,
      );
    if (found) return found;
    missing ??= all[1];
  }
  return missing;
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

async function importPackage(scheme: string, { name, file }: Found): Promise<unknown> {
  try {
    return await importAtRunTime(file === undefined ? name : pathToFileURL(file).href);
  } catch (cause) {
    // The driver is installed, but its client may be missing.
    throw explain(cause, scheme, file === undefined ? name : undefined);
  }
}

const SCHEME = "[a-z][a-z0-9+.-]*";

/** @throws SessionConfigError Names an entry that could never open a driver. */
function checkPackages(packages: Readonly<Record<string, string>>): void {
  const where = "driverFromUrl: packages";
  checkOption(hasOwnKeys(packages), where, 'an object, as in { acme: "@acme/sessions-driver" }', packages);
  for (const [scheme, name] of Object.entries(packages)) {
    const fits = new RegExp(`^${SCHEME}$`).test(scheme);
    checkOption(fits, `${where}: a scheme`, 'in lower case and without its colon, as in "acme"', scheme);
    checkOption(typeof name === "string" && name !== "", `${where}.${scheme}`, "the name of a package", name);
  }
}

/** Does the work of `driverFromUrl`. Most programs do not need this module and its file system imports. */
export async function openDriver(
  url: string | undefined,
  packages: Readonly<Record<string, string>>,
): Promise<Driver> {
  checkPackages(packages);
  if (!url)
    throw new SessionConfigError(
      "The URL of the sessions' backend is missing. Set the environment variable that holds it",
    );
  const scheme = new RegExp(`^(${SCHEME}):`, "i").exec(url)?.[1]?.toLowerCase();
  if (scheme === "memory" && !Object.hasOwn(packages, scheme)) return memoryDriver();
  const known = new Map([...PACKAGES, ...Object.entries(packages)]);
  const schemes = `known are memory:, ${[...known.keys()].map((key) => `${key}:`).join(", ")}`;
  // Do not show a text without a scheme: it may be a password, passed by mistake.
  if (scheme === undefined)
    throw new SessionConfigError(`The URL of the sessions' backend has no scheme; ${schemes}`);
  const named = known.get(scheme);
  const driver = named === undefined ? search(scheme) : { name: named, file: find(named) };
  if (!driver)
    throw new SessionConfigError(
      `No driver is known for ${scheme}:; ${schemes}. For another one, install sessions-driver-${scheme}, or name your @scope/sessions-driver-${scheme} in the dependencies of package.json, or call driverFromUrl(url, { "${scheme}": "its package" })`,
    );
  const { name } = driver;
  const module = await importPackage(scheme, driver);
  const fromUrl = isObject(module) ? module["fromUrl"] : undefined;
  if (typeof fromUrl !== "function")
    throw new SessionConfigError(`The package ${name} exports no fromUrl(url)`);
  try {
    return await fromUrl(url);
  } catch (error) {
    throw explain(error, scheme);
  }
}
