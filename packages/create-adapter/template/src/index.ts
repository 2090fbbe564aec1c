import type { Session, SessionManager } from "@sessions/core";
import { checkManager, checkOption, checkOptions } from "@sessions/core/adapter-tools";
import { notWritten } from "./not-written.ts";

/** A request of __title__. Put the framework's own type here. */
export type __Pascal__Request = object;

/** Options of `__camel__Sessions`. */
export interface __Pascal__SessionsOptions {
  /** Whether a request keeps the session alive. @default () => true */
  readonly touch?: ((request: __Pascal__Request) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a response whose handler looked at the session. @default true */
  readonly vary?: boolean | undefined;
}

/**
 * Gives __title__ its sessions.
 *
 * @throws TypeError if `sessions` is not a session manager.
 * @throws SessionConfigError if an option is unknown or of a wrong type. The message names it.
 */
export function __camel__Sessions(sessions: SessionManager, options: __Pascal__SessionsOptions = {}) {
  checkManager("__camel__Sessions", sessions);
  checkOptions("__camel__Sessions", options, ["touch", "vary"]);
  const { touch = () => true, vary = true } = options;
  checkOption(typeof touch === "function", "touch", "a function", touch);
  checkOption(typeof vary === "boolean", "vary", "true or false", vary);

  // Return what the framework takes: a middleware, a plugin, or hooks. Whatever its form, it has these three steps. All
  // functions that they name are in @sessions/core/adapter-tools.
  return {
    // return sessions.open(cookieHeader, openOptionsOf(sessions, { method, header, https, touch: touch(request) }));
    async open(request: __Pascal__Request): Promise<Session> {
      throw notWritten(
        "open",
        "open the request's session before the handler runs, and hand it to the handler",
        "H2 to H9",
      );
    },

    // if (reportsError(status) && dropLogin(session)) warnOfDroppedLogin(status);
    // const { setCookie } = await session.commit({ seal: true });
    // Then, on the headers that really go out: varyByCookie(headers) if `vary` and wasRead(session), and if there is a
    // setCookie, append it as Set-Cookie and call keepFromCaches(headers).
    async beforeHead(request: __Pascal__Request, session: Session): Promise<void> {
      throw notWritten(
        "beforeHead",
        "commit before the head goes out, and add the session's headers to it, or hand the error to the framework",
        "H1 to H13",
      );
    },

    // await session.commit(); if that fails, cut the response off.
    async beforeLastByte(request: __Pascal__Request, session: Session): Promise<void> {
      throw notWritten("beforeLastByte", "commit again before the body is complete", "H1 to H10");
    },
  };
}
