/** A browser's manners without a browser: keeps cookies, sends forms, follows no redirect by itself. */
export class Visitor {
  readonly cookies: Map<string, string> = new Map();
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Another that holds the same cookies: a second tab before it was clicked, or a thief. */
  copy(): Visitor {
    const other = new Visitor(this.#origin);
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
    return other;
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0)
      headers.set("cookie", [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(this.#origin + path, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  get(path: string): Promise<Response> {
    return this.#send(path, {});
  }

  async page(path: string): Promise<string> {
    return (await this.get(path)).text();
  }

  post(
    path: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return this.#send(path, { method: "POST", body: new URLSearchParams(fields), headers });
  }

  /** Sends a form and reads the page that it leads to. */
  async submit(path: string, fields: Record<string, string> = {}): Promise<string> {
    const response = await this.post(path, fields);
    const location = response.headers.get("location");
    if (response.status !== 303 || !location) throw new Error(`${path}: ${response.status}, no redirect`);
    return this.page(location);
  }

  signIn(name: string): Promise<string> {
    return this.submit("/account/sign-in", { name });
  }

  /** What `/session.json` says. */
  async session(): Promise<{
    id: string;
    principal?: string;
    stores: { name: string; entries: number }[];
  } | null> {
    const response = await this.get("/session.json");
    if (!response.ok) throw new Error(`/session.json: ${response.status}`);
    const body: unknown = await response.json();
    return (body as { session: Awaited<ReturnType<Visitor["session"]>> }).session;
  }
}
