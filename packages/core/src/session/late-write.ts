import { SessionError } from "../base/errors.ts";
import { warnOnce } from "../base/warn-once.ts";

export const headersSent = (what: string): SessionError =>
  new SessionError("ERR_SESSION_HEADERS_SENT", `${what} after the headers went out, too late for a cookie`);

/** Warns that a write was dropped, once for each place in the program that makes such a write. */
export const warnOfLateWrite = ({ message, stack = "" }: SessionError): void =>
  warnOnce(stack, `${message}: it was dropped`, stack);
