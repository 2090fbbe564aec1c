import { SessionConfigError } from "@sessions/core";
import { type FromUrl, openByUrl, readUrl } from "@sessions/core/driver-tools";

/**
 * Opens a client for `__backend__://host`, and returns a driver on it, whose `close()` closes the client. `driverFromUrl`
 * calls it for every URL that begins with `__backend__:`.
 *
 * @throws SessionConfigError for another kind of URL, which is not shown.
 */
export const fromUrl: FromUrl = async (url) => {
  // The driver's options are no parameters of the URL. No message shows the URL, because it may hold a password.
  const rules = {
    where: "__camel__Driver fromUrl",
    schemes: ["__backend__"],
    options: ["prefix", "timeout"],
  };
  openByUrl("__backend__://host", () => readUrl(url, rules));
  // Open a client for the `hostname` that readUrl returns, without waiting for the server. Then:
  // return closing(__camel__Driver({ client }), () => client.close());
  throw new SessionConfigError("__camel__Driver: fromUrl is not written yet");
};
