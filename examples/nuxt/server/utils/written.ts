import { type H3Event, readFormData } from "h3";

/** Returns a field's text, or `undefined` if it is empty, too long, no text, or the request is no form. */
export async function written(event: H3Event, field: string): Promise<string | undefined> {
  const form = await readFormData(event).catch(() => undefined);
  const value = form?.get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}
