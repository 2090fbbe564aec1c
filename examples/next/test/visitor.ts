/** Asks as a browser without JavaScript does, and follows no redirect. */
export const ask = (url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { redirect: "manual", ...init });

/** The session's cookie in an answer, to be sent back; the header as it came where there is another number of it. */
export function sessionCookie({ headers }: Response): string {
  const ours = headers.getSetCookie().filter((line) => line.startsWith("__Host-sid="));
  const [cookie = ""] = ours[0]?.split(";") ?? [];
  return ours.length === 1 ? cookie : ours.join(", ");
}

/** What a browser sends for the form around that button. */
export async function form(
  url: string,
  button: string,
  fields: Record<string, string> = {},
): Promise<FormData> {
  const page = await (await ask(url)).text();
  const around = page.split("<form").find((part) => part.includes(`>${button}</button>`));
  const hidden = /name="(\$ACTION_ID_[0-9a-f]+)"/.exec(around ?? "")?.[1];
  if (hidden === undefined) throw new Error(`No form of an action is around "${button}":\n${page}`);
  const data = new FormData();
  data.set(hidden, "");
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}
