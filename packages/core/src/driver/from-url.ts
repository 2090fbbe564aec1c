import type { Driver } from "./contract.ts";

/**
 * Opens the driver for a URL's scheme, so that a deployment can choose its backend without a change of code. The
 * driver's package must be installed beside `@sessions/core`, or where the program that Node runs can find it. `memory:`
 * needs no package. `close()` of the manager closes what this opened.
 *
 * The drivers of this project are known by their schemes. For another scheme, such as `acme:`, the package is
 * `sessions-driver-acme`, or a `@scope/sessions-driver-acme` that the program's nearest package.json names in its
 * `dependencies`. Only these are looked for in the current folder too, and there last.
 *
 * @param url Usually from the environment: `process.env.SESSIONS_URL`. If it is missing, the error says so.
 * @param packages Packages for more schemes, or other packages for known ones: `{ acme: "@acme/sessions" }`, with the
 *   scheme in lower case and without its colon. Each exports `fromUrl(url)`, a `FromUrl` of
 *   `@sessions/core/driver-tools`.
 * @throws SessionConfigError The URL is missing, its scheme is unknown, the package is not installed, two packages fit, or
 *   `packages` has a wrong entry. The message never shows the URL.
 * @example
 * const driver = await driverFromUrl(process.env["SESSIONS_URL"] ?? "memory:");
 * const sessions = createSessionManager({ driver });
 */
export async function driverFromUrl(
  url: string | undefined,
  packages: Readonly<Record<string, string>> = {},
): Promise<Driver> {
  // Loaded at the first call, because it reads the file system, which some runtimes lack.
  const { openDriver } = await import("./packages.ts");
  return openDriver(url, packages);
}
