import type { Driver } from "./contract.ts";

/**
 * Opens the driver that a URL's scheme names, so that a deployment chooses its backend without a change of code. The
 * driver's package must be installed: beside this one, or where the program is that Node was started with; the current
 * folder does not count. `close()` of the manager closes what it opened. `memory:` needs no package.
 *
 * @param url Typically from the environment: `process.env.SESSIONS_URL`. One that is missing is an error that says so.
 * @param packages Packages for further schemes, or others for known ones: `{ scheme: "package" }`. Each exports `fromUrl`.
 * @throws SessionConfigError for a URL that is missing, a scheme without a package, and a package that is not installed; it never shows the URL.
 */
export async function driverFromUrl(
  url: string | undefined,
  packages: Readonly<Record<string, string>> = {},
): Promise<Driver> {
  // Loaded at the first call: it reads the file system, which not every runtime has.
  const { openDriver } = await import("./packages.ts");
  return openDriver(url, packages);
}
