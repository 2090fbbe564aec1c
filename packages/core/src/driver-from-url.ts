import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Driver } from "./driver.ts";
import { SessionConfigError } from "./errors.ts";
import { memoryDriver } from "./memory.ts";

const DRIVERS = ["file", "sqlite", "postgres", "mysql", "mongodb", "redis", "dynamodb"];
const ALIASES = { postgresql: "postgres", mariadb: "mysql", "mongodb+srv": "mongodb", rediss: "redis" };
const PACKAGES = new Map(
  [...DRIVERS.map((name) => [name, name] as const), ...Object.entries(ALIASES)].map(([scheme, name]) => [
    scheme,
    `@sessions/driver-${name}`,
  ]),
);

/** The package manager that started this process says so in its user agent: `pnpm/10.0.0 npm/? node/…` */
function installCommand(name: string): string {
  const manager = /^(pnpm|yarn|bun|npm)\//.exec(process.env["npm_config_user_agent"] ?? "")?.[1] ?? "npm";
  return `${manager} ${manager === "npm" ? "install" : "add"} ${name}`;
}

/** Imports as the application would: package managers that isolate packages hide its dependencies from this one. */
async function importFromApplication(scheme: string, name: string): Promise<unknown> {
  for (const from of [process.argv[1], join(process.cwd(), "index.js")]) {
    let file: string;
    try {
      file = createRequire(from ?? "").resolve(name);
    } catch {
      continue;
    }
    return import(pathToFileURL(file).href);
  }
  try {
    return await import(name);
  } catch (cause) {
    throw new SessionConfigError(
      `${scheme}: needs the package ${name}, which cannot be found: run "${installCommand(name)}"`,
      { cause },
    );
  }
}

/**
 * Opens the driver that a URL's scheme names, so that a deployment chooses its backend without a change of code. The
 * driver's package must be installed; `close()` of the manager closes what it opened. `memory:` needs no package.
 *
 * @param packages Packages for further schemes, or others for known ones: `{ scheme: "package" }`. Each exports `fromUrl`, for
 * the condition `default`.
 * @throws SessionConfigError for a scheme without a package, and a package that is not installed; it never shows the URL.
 */
export async function driverFromUrl(
  url: string,
  packages: Readonly<Record<string, string>> = {},
): Promise<Driver> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === "memory" && !Object.hasOwn(packages, scheme)) return memoryDriver();
  const known = new Map([...PACKAGES, ...Object.entries(packages)]);
  const name = known.get(scheme ?? "");
  if (scheme === undefined || name === undefined)
    // Without a scheme the text may be a password, put there by mistake.
    throw new SessionConfigError(
      `${scheme === undefined ? "The URL of the sessions' backend has no scheme" : `No driver is known for ${scheme}:`}; known are memory:, ${[...known.keys()].map((key) => `${key}:`).join(", ")}`,
    );
  const module = await importFromApplication(scheme, name);
  const fromUrl: unknown =
    typeof module === "object" && module !== null ? Reflect.get(module, "fromUrl") : undefined;
  if (typeof fromUrl !== "function")
    throw new SessionConfigError(`The package ${name} exports no fromUrl(url)`);
  return fromUrl(url);
}
