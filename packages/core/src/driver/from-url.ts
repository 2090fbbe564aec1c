import type { Driver } from "./contract.ts";

/**
 * Opens the driver for a URL's scheme, so that a deployment can choose its backend without a change of code. The
 * driver's package must be installed beside `@sessions/core`, or where the program that Node runs can find it. The
 * current folder does not count. `memory:` needs no package. `close()` of the manager closes what this opened.
 *
 * @param url Usually from the environment: `process.env.SESSIONS_URL`. If it is missing, the error says so.
 * @param packages Packages for more schemes, or other packages for known ones: `{ scheme: "package" }`. Each exports
 *   `fromUrl(url)`.
 * @throws SessionConfigError The URL is missing, its scheme is unknown, or the package is not installed. The message
 *   never shows the URL.
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
