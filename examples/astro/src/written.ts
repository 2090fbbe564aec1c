/** What a visitor wrote into a field; `undefined` if that is nothing, too long, or no text. */
export async function written(request: Request, field: string): Promise<string | undefined> {
  const value = (await request.formData()).get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}
