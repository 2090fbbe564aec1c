import { placeOf } from "./place.ts";
import { messageOf, nameOf, plain } from "./plain.ts";

/** What to say of an error that came out of no call, and would end an application too. */
export function uncaught(error: unknown, cwd: string): string {
  const place = placeOf(error, cwd);
  const from = place === undefined ? "" : ` (${place})`;
  return (
    `sessions-conformance: an error that nobody caught: ${nameOf(error)}: ${plain(messageOf(error))}${from}\n` +
    "Listen to the client's error event, and leave no promise without a handler: in an application this ends the process.\n"
  );
}
