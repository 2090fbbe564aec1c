import { fileURLToPath } from "node:url";
import type { ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, openByUrl } from "@sessions/core/driver-tools";
import { type FileDriverOptions, fileDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `fileDriver`, but the directory. */
export type FileUrlOptions = Omit<FileDriverOptions, "directory">;

function readDirectory(url: string): string {
  const [, path = ""] = /^file:([^?#\0]+)$/i.exec(url) ?? [];
  // What URL makes of a relative path is an absolute one.
  const directory = path.startsWith("/") ? fileURLToPath(url) : decodeURIComponent(path);
  if (directory === "" || directory.includes("\0")) throw new TypeError("No folder");
  return directory;
}

/**
 * A driver on the folder that `file:./sessions` (from where the process is) or `file:///var/lib/app/sessions` names,
 * percent-decoded. There is nothing to close.
 *
 * @throws SessionConfigError for a URL that is none, without showing it, and for bad options.
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
