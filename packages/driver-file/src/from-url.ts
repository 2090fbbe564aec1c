import { fileURLToPath } from "node:url";
import { type ListingDriver, type ProvisionedDriver, SessionConfigError } from "@sessions/core";
import { checkOptions } from "@sessions/core/driver-tools";
import { type FileDriverOptions, fileDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `fileDriver`, but the directory. */
export type FileUrlOptions = Omit<FileDriverOptions, "directory">;

function directoryOf(url: string): string {
  const [, path = ""] = /^file:([^?#\0]+)$/i.exec(url) ?? [];
  // What URL makes of a relative path is an absolute one.
  return path.startsWith("/") ? fileURLToPath(url) : decodeURIComponent(path);
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
  let directory = "";
  try {
    directory = directoryOf(url);
  } catch {
    // As for an empty one.
  }
  if (directory === "" || directory.includes("\0"))
    throw new SessionConfigError(
      "The URL must be like file:./sessions or file:///var/lib/app/sessions, and takes no parameters",
    );
  return fileDriver({ directory, timeout: options.timeout });
}
