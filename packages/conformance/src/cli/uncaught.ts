import { placeOf } from "./place.ts";
import { messageOf, nameOf, plain } from "./plain.ts";

/** The message for an error outside of any call, which would end an application too. */
export function uncaught(error: unknown, cwd: string): string {
  const place = placeOf(error, cwd);
  const from = place === undefined ? "" : ` (${place})`;
  return (
    `sessions-conformance: uncaught error: ${nameOf(error)}: ${plain(messageOf(error))}${from}\n` +
    "In an application this ends the process. Listen to the client's error event, and handle the rejection of every promise.\n"
  );
}
