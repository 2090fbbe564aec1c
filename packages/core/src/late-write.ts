/** Where writes came too late, so that a server that makes one with every request says so once. */
const places = new Set<string>();
const MOST_PLACES = 100;

/** Warns of a write that came after the response was over and could not be kept, once for each place in the program. */
export function warnOfLateWrite(): void {
  const lines = new Error("late").stack?.split("\n") ?? [];
  // The line below the last one of this library's own methods.
  const own = lines.findLastIndex((line) => /\b(SessionStore|ManagedSession)\./.test(line));
  const place = lines[own + 1]?.trim() ?? "at an unknown place";
  if (places.has(place) || places.size >= MOST_PLACES) return;
  places.add(place);
  process.emitWarning(
    `A write to a new session was dropped: it came after the response had ended, too late to send the cookie. Write earlier; it was made ${place}`,
    { code: "ERR_SESSION_HEADERS_SENT" },
  );
}
