/** The longest value of a cookie: browsers keep no longer one. */
const LONGEST = 4096;

/** Whether a cookie can come from a browser. It saves the work on others. */
export const fits = (value: string): boolean => value !== "" && value.length <= LONGEST;

/** Runs a decoder on what a client sent. Returns the object that it made; `undefined` for everything else. */
export async function decoded(decode: () => unknown): Promise<Record<string, unknown> | undefined> {
  try {
    const data = await decode();
    if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined;
    // Applications copy sessions by Object.assign, which would set the prototype.
    JSON.stringify(data, (key, value) => {
      if (key === "__proto__") throw new TypeError("a key that sets a prototype");
      return value;
    });
    return { ...data };
  } catch {
    return undefined;
  }
}
