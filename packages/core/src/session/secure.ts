import { SessionConfigError } from "../base/errors.ts";
import { warnOnce } from "../base/warn-once.ts";
import type { Context } from "../context/context.ts";

const fault = ({ settings }: Context): string =>
  `The cookie ${settings.cookie.name} lacks Secure over https: set NODE_ENV=production or cookie.secure (true, or false to allow it)`;

/** Warns, once in each process, that a request over https uses or gets a cookie without `Secure`. */
export function warnInsecure(context: Context): void {
  if (context.settings.insecure) warnOnce("secure", fault(context));
}

/**
 * Call it before a new cookie is sent. The cookie's name and `Secure` never depend on the request. So a request over
 * https gets no cookie that browsers also send over plain http, unless the program allows it.
 *
 * @throws SessionConfigError
 */
export function refuseInsecure(context: Context, secure: boolean): void {
  if (!secure) return;
  if (context.settings.insecure === "refuse") throw new SessionConfigError(fault(context));
  warnInsecure(context);
}
