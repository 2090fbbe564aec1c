/** The data of a session as JSON, by key, without its cookie. What JSON leaves out is not there. */
export function textsOf(session: object): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of Object.entries(session)) {
    // JSON.stringify returns undefined for functions, symbols and undefined.
    const text: string | undefined = key === "cookie" ? undefined : JSON.stringify(value);
    if (text !== undefined) texts.set(key, text);
  }
  return texts;
}
