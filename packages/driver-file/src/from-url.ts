import { fileURLToPath } from "node:url";
import type { ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, openByUrl } from "@sessions/core/driver-tools";
import { type FileDriverOptions, fileDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `fileDriver`, except `directory`. */
export type FileUrlOptions = Omit<FileDriverOptions, "directory">;

function readDirectory(url: string): string {
  const [, path = ""] = /^file:([^?#\0]+)$/i.exec(url) ?? [];
  // URL would make an absolute path of a relative one.
  const directory = path.startsWith("/") ? fileURLToPath(url) : decodeURIComponent(path);
  if (directory === "" || directory.includes("\0")) throw new TypeError("No folder");
  return directory;
}

/**
 * Makes a driver on the folder that a URL names, percent-decoded: `file:./sessions`, from the current folder of the
 * process, or `file:///var/lib/app/sessions`. There is nothing to close.
 *
 * @throws SessionConfigError for another kind of URL, which is not shown, and for bad options.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fromUrl } from "@sessions/driver-file";
 *
 * const driver = await fromUrl("file:./sessions");
 * const sessions = createSessionManager({ driver });
 */
export async function fromUrl(
  url: string,
  options: FileUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver> {
  checkOptions("fileDriver fromUrl", options, ["timeout"]);
  const directory = openByUrl(
    "file:./sessions or file:///var/lib/app/sessions, and takes no parameters",
    () => readDirectory(url),
  );
  return fileDriver({ directory, timeout: options.timeout });
}
