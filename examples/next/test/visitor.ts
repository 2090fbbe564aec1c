/** Sends requests like a browser without JavaScript, and follows no redirect. */
export const ask = (url: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { redirect: "manual", ...init });

/** Returns the session's cookie of a response, ready to send. If there is not exactly one, returns the header itself. */
export function sessionCookie({ headers }: Response): string {
  const ours = headers.getSetCookie().filter((line) => line.startsWith("__Host-sid="));
  const [cookie = ""] = ours[0]?.split(";") ?? [];
  return ours.length === 1 ? cookie : ours.join(", ");
}

/** Returns the data that a browser sends for the form around that button. */
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
