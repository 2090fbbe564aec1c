import { SessionConfigError } from "../base/errors.ts";
import type { Context } from "../context/context.ts";

let warned = false;

const fault = ({ settings }: Context): string =>
  `A request came over https, but the cookie ${settings.cookie.name} lacks Secure: set NODE_ENV=production or cookie: { secure: true }, or { secure: false } to allow it`;

/** For a request over https whose visitor has a cookie, or is given one where that is allowed: warns once a process. */
export function warnInsecure(context: Context): void {
  if (warned || !context.settings.insecure) return;
  warned = true;
  process.emitWarning(fault(context));
}

/**
 * Before a new cookie is handed out. The cookie's name and `Secure` never depend on a request. So a request over https
 * is refused a cookie that goes over plain http as well, unless the program said that it means to send such.
 *
 * @throws SessionConfigError
 */
export function refuseInsecure(context: Context, secure: boolean): void {
  if (!secure) return;
  if (context.settings.insecure === "refuse") throw new SessionConfigError(fault(context));
  warnInsecure(context);
}
