import type { Driver } from "./contract.ts";

/**
 * Opens the driver that a URL's scheme names, so that a deployment chooses its backend without a change of code. The
 * driver's package must be installed beside this one, or beside the program that Node was started with. The current
 * folder does not count. The manager's `close()` closes the opened client. `memory:` needs no package.
 *
 * @param url Typically from the environment: `process.env.SESSIONS_URL`.
 * @param packages Packages for further schemes, or replacements for known ones: `{ scheme: "package" }`. Each exports
 *   `fromUrl`.
 * @throws SessionConfigError for a missing URL, a scheme without a package, or a package that is not installed. The
 *   message never shows the URL.
 * @example
 * const driver = await driverFromUrl(process.env["SESSIONS_URL"] ?? "memory:");
 * const sessions = createSessionManager({ driver });
 */
export async function driverFromUrl(
  url: string | undefined,
  packages: Readonly<Record<string, string>> = {},
): Promise<Driver> {
  // Loaded at the first call, because it imports Node's file system, which not every runtime has.
  const { openDriver } = await import("./packages.ts");
  return openDriver(url, packages);
}
