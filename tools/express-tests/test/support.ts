import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Listens on a free port until the test is over. */
export async function listen(given: RequestListener | Server): Promise<string> {
  const server = typeof given === "function" ? createServer(given) : given;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** What a visitor sees of a page, after all redirects. */
interface Page {
  readonly status: number;
  readonly body: string;
  /** The address that the redirects led to. */
  readonly url: URL;
  readonly headers: Headers;
}

/** A browser: it keeps cookies, and follows redirects at once. */
export class Visitor {
  readonly home: string;
  /** The path of a redirect that is not followed: the page has its address. */
  stopAt = "";
  /** The cookies of each server, since tests have several on one host. */
  readonly jars: Map<string, Map<string, string>> = new Map();

  constructor(home: string) {
    this.home = home;
  }

  /** A second browser with a copy of the cookies. */
  copy(): Visitor {
    const copy = new Visitor(this.home);
    for (const [origin, jar] of this.jars) copy.jars.set(origin, new Map(jar));
    return copy;
  }

  cookie(name: string): string | undefined {
    return this.jars.get(new URL(this.home).origin)?.get(name);
  }

  get(path: string): Promise<Page> {
    return this.#open(new URL(path, this.home), {});
  }

  /** Sends a form. */
  post(path: string, form: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Page> {
    return this.#open(new URL(path, this.home), {
      method: "POST",
      body: new URLSearchParams(form),
      headers,
    });
  }

  async #open(url: URL, init: RequestInit, hops = 0): Promise<Page> {
    const jar = this.jars.get(url.origin) ?? new Map<string, string>();
    this.jars.set(url.origin, jar);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set("cookie", [...jar].map((pair) => pair.join("=")).join("; "));
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const isOver =
        /; *max-age=0/i.test(line) || new Date(/; *expires=([^;]+)/i.exec(line)?.[1] ?? NaN) < new Date();
      if (isOver) jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get("location");
    const body = await response.text();
    const next = location === null ? url : new URL(location, url);
    if (location === null || next.pathname === this.stopAt)
      return { status: response.status, body, url: next, headers: response.headers };
    if (hops > 10) throw new Error(`redirected in circles: ${url}`);
    return this.#open(next, {}, hops + 1);
  }
}

/** Two sides that wait for each other: a request that is under way while others begin and end. */
export function gate(): { readonly reached: Promise<void>; pass(): Promise<void>; open(): void } {
  let reach = (): void => {};
  let open = (): void => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    reached,
    pass() {
      reach();
      return opened;
    },
    open,
  };
}
