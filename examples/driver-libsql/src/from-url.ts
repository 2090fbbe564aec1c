import { createClient } from "@libsql/client";
import { closing, type FromUrl, openByUrl, readUrl } from "@sessions/core/driver-tools";
import { type LibsqlDriverOptions, libsqlDriver } from "./index.ts";

/**
 * Opens a client for the file of `libsql:./sessions.db`, or for the server of `libsql://host?authToken=…`, and returns a
 * driver on it, whose `close()` closes the client.
 *
 * @throws SessionConfigError for another kind of URL, which is not shown.
 */
export const fromUrl: FromUrl<Omit<LibsqlDriverOptions, "client">> = (url, options = {}) => {
  const rules = { where: "libsqlDriver fromUrl", schemes: ["libsql"], options: ["table", "timeout"] };
  const client = openByUrl("libsql:./sessions.db or libsql://host?authToken=…", () => {
    const [, file] = /^libsql:(?!\/\/)([^?#]+)$/i.exec(url) ?? [];
    return createClient({ url: file === undefined ? readUrl(url, rules).href : `file:${file}` });
  });
  return closing(libsqlDriver({ ...options, client }), async () => client.close());
};
