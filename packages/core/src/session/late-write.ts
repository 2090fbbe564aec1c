import { SessionError } from "../base/errors.ts";

export const headersSent = (what: string): SessionError =>
  new SessionError(
    "ERR_SESSION_HEADERS_SENT",
    `${what} after the headers went out, too late for a cookie. Do it earlier.`,
  );

/** The places in the program that wrote too late. Each place is reported once, not with every request. */
const latePlaces = new Set<string>();
const MOST_PLACES = 100;

/** Warns that a write was dropped, with the place in the program that made it. */
export function warnOfLateWrite({ message, stack = "" }: SessionError): void {
  if (latePlaces.has(stack) || latePlaces.size >= MOST_PLACES) return;
  latePlaces.add(stack);
  process.emitWarning(`${message} It was dropped.`, { detail: stack });
}
