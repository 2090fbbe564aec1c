import { percentEscape } from "../record/field-names.ts";
import type { State } from "./state.ts";

/** The most characters that we keep of what a client says about itself. */
const MOST_CHARACTERS = 256;

/** Keeps the network of an IP address: 24 bits of IPv4, at most 48 of IPv6. */
const shorten = (ip: string): string =>
  /\.\d+$/.test(ip) ? ip.replace(/\d+$/, "0") : `${(ip.split("::")[0] ?? "").split(":", 3).join(":")}::`;

/**
 * The record's field `/meta`: the version, when the session was last used, the client's address and what it calls
 * itself. `undefined` if the manager keeps nothing of it.
 */
export function metaOf({ context: { settings }, opened: { device = {} } }: State): string | undefined {
  const { metadata } = settings;
  if (!metadata) return undefined;
  const { ip = "", userAgent = "" } = device;
  const address = metadata.ip === "shortened" && ip ? shorten(ip) : ip;
  const texts = [metadata.ip ? address : "", metadata.userAgent ? userAgent : ""];
  const columns = texts.map((text) => percentEscape(text.slice(0, MOST_CHARACTERS).toWellFormed()));
  return `1 ${metadata.lastSeen ? settings.clock() : ""} ${columns.join(" ")}`;
}
