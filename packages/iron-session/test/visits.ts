import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getIronSession as getTheirs } from "iron-session";
import { type CookieStore, getIronSession, type IronSession, type SessionOptions } from "../src/index.ts";

export interface Data {
  userId: string;
  items: string[];
  count: number;
}

/** What a handler does: it opens the session as often as it likes. */
type Handler<S> = (open: () => Promise<S>) => Promise<void>;
/** Handles one request with a Cookie header, and returns the cookies that it sets. */
export type Visit<S = IronSession<Data>> = (cookie: string, handler: Handler<S>) => Promise<string[]>;

/** What `await cookies()` of Next.js is in a server action or a route handler. */
export function nextCookies(header: string): { store: CookieStore; set: Map<string, string> } {
  const values = new Map(
    header.split("; ").map((pair) => [pair.split("=")[0] ?? "", pair.split("=")[1] ?? ""]),
  );
  const set = new Map<string, string>();
  const store: CookieStore = {
    get: (name) => {
      const value = set.get(name) ?? values.get(name);
      return value === undefined ? undefined : { value };
    },
    set: (name, value) => set.set(name, value),
  };
  return { store, set };
}

const linesOf = (set: ReadonlyMap<string, string>): string[] =>
  [...set].map(([name, value]) => `${name}=${value}`);

export const byCookies =
  (options: SessionOptions<Data>): Visit =>
  async (cookie, handler) => {
    const { store, set } = nextCookies(cookie);
    await handler(() => getIronSession<Data>(store, options));
    return linesOf(set);
  };

export const byFetch =
  (options: SessionOptions<Data>): Visit =>
  async (cookie, handler) => {
    const request = new Request("http://localhost/", { headers: { cookie } });
    const response = new Response("Hello");
    await handler(() => getIronSession<Data>(request, response, options));
    return response.headers.getSetCookie();
  };

export const byNode =
  (options: SessionOptions<Data>): Visit =>
  async (cookie, handler) => {
    let failure: { error: unknown } | undefined;
    const server = createServer(async (req, res) => {
      try {
        await handler(() => getIronSession<Data>(req, res, options));
      } catch (error) {
        failure = { error };
      }
      res.end("Hello");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie } });
      await response.text();
      if (failure) throw failure.error;
      return response.headers.getSetCookie();
    } finally {
      server.close();
      server.closeAllConnections();
    }
  };

/** iron-session itself, with the data in its cookie. */
export const byIronSession: Visit<Awaited<ReturnType<typeof getTheirs<Data>>>> = async (cookie, handler) => {
  const { store, set } = nextCookies(cookie);
  const password = "a password of at least 32 characters";
  const found = (name: string) => {
    const value = store.get(name)?.value;
    return value === undefined ? undefined : { name, value };
  };
  await handler(() =>
    getTheirs<Data>(
      { get: found, set: (name, value) => set.set(name, value) },
      { password, cookieName: "sid" },
    ),
  );
  return linesOf(set);
};
