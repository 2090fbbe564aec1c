/** What a visitor wrote into a field; `undefined` if that is nothing, too long, or no text, or the request no form. */
export async function written(request: Request, field: string): Promise<string | undefined> {
  const form = await request.formData().catch(() => undefined);
  const value = form?.get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}
