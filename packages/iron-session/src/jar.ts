import type { IncomingMessage, ServerResponse } from "node:http";
import type { CommitResult, OpenOptions, SessionCookie, SessionManager } from "@sessions/core";
import {
  cookieSettingsOf,
  keepFromCaches,
  openOptionsOf,
  type ResponseHeaders,
  varyByCookie,
} from "@sessions/core/adapter-tools";

/** What `await cookies()` of Next.js is. */
export interface CookieStore {
  /** Returns a cookie of the request, or one that was set since. */
  get(name: string): { readonly value: string } | undefined;
  /** Sets a cookie in the response. Next.js throws here while a page is rendered. */
  set(name: string, value: string, attributes: Omit<SessionCookie, "name" | "value">): unknown;
}

/** A request's cookies, and the way of a cookie into its response. */
export interface Jar {
  /** The Cookie header. */
  readonly header: string | undefined;
  readonly options: OpenOptions;
  /** Whether the headers have gone out, so that no cookie can be sent. */
  isSent(): boolean;
  /** Sends the cookie of a commit. A later one takes its place. */
  send(cookie: SessionCookie, setCookie: string): void;
}

/** Sends what a commit has to send. */
export function sendResult(jar: Jar, { cookie, setCookie }: CommitResult): void {
  if (cookie && setCookie !== undefined && !jar.isSent()) jar.send(cookie, setCookie);
}

export function cookieStoreJar(sessions: SessionManager, cookies: CookieStore): Jar {
  const { name = "sid" } = cookieSettingsOf(sessions);
  const found = cookies.get(name);
  return {
    header: found && `${name}=${found.value}`,
    options: {},
    isSent: () => false,
    send({ name, value, ...attributes }) {
      cookies.set(name, value, attributes);
    },
  };
}

/** The lines of Set-Cookie with a new one, without those of the same name. */
const withCookie = (lines: readonly string[], name: string, line: string): string[] => [
  ...lines.filter((other) => !other.startsWith(`${name}=`)),
  line,
];

const fetchHeaders = (headers: Headers): ResponseHeaders => ({
  get: (name) => headers.get(name) ?? undefined,
  set: (name, value) => headers.set(name, value),
  delete: (name) => headers.delete(name),
  names: () => headers.keys(),
});

export function webJar(sessions: SessionManager, request: Request, response: Response | Headers): Jar {
  const headers = "headers" in response ? response.headers : response;
  varyByCookie(fetchHeaders(headers));
  return {
    header: request.headers.get("Cookie") ?? undefined,
    options: openOptionsOf(sessions, {
      method: request.method,
      header: (name) => request.headers.get(name) ?? undefined,
      https: request.url.startsWith("https:"),
      touch: true,
    }),
    isSent: () => "bodyUsed" in response && response.bodyUsed,
    send({ name }, line) {
      const lines = withCookie(headers.getSetCookie(), name, line);
      headers.delete("Set-Cookie");
      for (const each of lines) headers.append("Set-Cookie", each);
      keepFromCaches(fetchHeaders(headers));
    },
  };
}

const nodeHeaders = (response: ServerResponse): ResponseHeaders => ({
  get: (name) => response.getHeader(name)?.toString(),
  set: (name, value) => response.setHeader(name, value),
  delete: (name) => response.removeHeader(name),
  names: () => response.getHeaderNames(),
});

export function nodeJar(sessions: SessionManager, request: IncomingMessage, response: ServerResponse): Jar {
  if (!response.headersSent) varyByCookie(nodeHeaders(response));
  return {
    header: request.headers.cookie,
    options: openOptionsOf(sessions, {
      method: request.method,
      header: (name) => request.headers[name]?.toString(),
      https: "encrypted" in request.socket && request.socket.encrypted === true,
      touch: true,
    }),
    isSent: () => response.headersSent,
    send({ name }, line) {
      const lines = [response.getHeader("Set-Cookie") ?? []].flat().map(String);
      response.setHeader("Set-Cookie", withCookie(lines, name, line));
      keepFromCaches(nodeHeaders(response));
    },
  };
}
