import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { keepFromCaches, type ResponseHeaders, varyByCookie } from "@sessions/core/adapter-tools";

/** The parts of an unsent response that a handler may change. */
export interface Snapshot {
  readonly headers: ReadonlyMap<string, OutgoingHttpHeader>;
  readonly statusMessage: string | undefined;
}

/** HTTP/2 has no reason phrase, and Node emits a warning if `statusMessage` is read. */
export const isHttp1 = (res: ServerResponse): boolean => res.req.httpVersionMajor < 2;

/** The status line of a response. */
export interface Status {
  readonly code: number;
  readonly message: string | undefined;
}

export const takeStatus = (res: ServerResponse): Status => ({
  code: res.statusCode,
  message: isHttp1(res) ? res.statusMessage : undefined,
});

export function restoreStatus(res: ServerResponse, { code, message }: Status): void {
  res.statusCode = code;
  // `statusMessage` is undefined before the first one is set, which Node's type does not say.
  if (isHttp1(res) && res.statusMessage !== message) Object.assign(res, { statusMessage: message });
}

export function takeSnapshot(res: ServerResponse): Snapshot {
  const headers = new Map<string, OutgoingHttpHeader>();
  for (const name of res.getHeaderNames()) {
    const value = res.getHeader(name);
    // A copy, because appendHeader() grows the list in place.
    if (value !== undefined) headers.set(name, Array.isArray(value) ? [...value] : value);
  }
  return { headers, statusMessage: takeStatus(res).message };
}

/** Undoes the handler's changes. */
export function restore(res: ServerResponse, { headers, statusMessage }: Snapshot): void {
  for (const name of res.getHeaderNames()) if (!headers.has(name)) res.removeHeader(name);
  for (const [name, value] of headers) if (res.getHeader(name) !== value) res.setHeader(name, value);
  // An error page that sets no status must not look like a success.
  restoreStatus(res, { code: 500, message: statusMessage });
}

type Headers = OutgoingHttpHeaders | readonly OutgoingHttpHeader[];

const isHeaders = (given: unknown): given is Headers => typeof given === "object" && given !== null;

/** Returns a list of name, value, name, value. `writeHead` accepts an object, such a list, or a list of pairs. */
function flatHeaders(headers: Headers): readonly (OutgoingHttpHeader | undefined)[] {
  if (!isList(headers)) return Object.entries(headers).flat();
  return Array.isArray(headers[0]) ? headers.flat() : headers;
}

/** Sets the headers that `writeHead` was given, so that they can be read and completed before they go out. */
function setHeaders(res: ServerResponse, headers: Headers): void {
  const checked = (value: OutgoingHttpHeader | undefined): OutgoingHttpHeader => {
    if (value === undefined)
      throw new TypeError("writeHead: a header has no value. Pass a string, a number or a list");
    return value;
  };
  if (!isList(headers)) {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, checked(value));
    return;
  }
  // A list replaces what was set before, and may name a header twice.
  const list = flatHeaders(headers);
  const names = list.filter((_, index) => index % 2 === 0).map(String);
  for (const name of names) res.removeHeader(name);
  names.forEach((name, index) => {
    const value = checked(list[2 * index + 1]);
    res.appendHeader(name, typeof value === "number" ? String(value) : value);
  });
}

/** Sets the status and the headers of `writeHead`'s arguments. Returns the arguments that are left. */
export function setHead(res: ServerResponse, [code, ...rest]: readonly unknown[]): readonly unknown[] {
  const [reason] = rest;
  const headers = rest.at(-1);
  if (isHeaders(headers)) setHeaders(res, headers);
  res.statusCode = Number(code);
  return typeof reason === "string" ? [code, reason] : [code];
}

/**
 * Finds a header's value in the arguments of `writeHead`.
 *
 * @param name In lower case.
 */
export function givenHeader(head: readonly unknown[], name: string): OutgoingHttpHeader | undefined {
  const headers = head.at(-1);
  const given = isHeaders(headers) ? flatHeaders(headers) : [];
  const index = given.findIndex((it, i) => i % 2 === 0 && String(it).toLowerCase() === name);
  return index < 0 ? undefined : given[index + 1];
}

// Array.isArray does not narrow a union with a readonly array.
const isList = (headers: Headers): headers is readonly OutgoingHttpHeader[] => Array.isArray(headers);

const headersOf = (res: ServerResponse): ResponseHeaders => ({
  get(name) {
    const value = res.getHeader(name);
    return value === undefined ? undefined : String(value);
  },
  set: (name, value) => void res.setHeader(name, value),
  delete: (name) => res.removeHeader(name),
  names: () => res.getHeaderNames(),
});

/** Adds the session's cookie to the application's own ones, and keeps the response out of shared caches. */
export function addCookie(res: ServerResponse, setCookie: string): void {
  const cookies = res.getHeader("Set-Cookie") ?? [];
  res.setHeader("Set-Cookie", [...(Array.isArray(cookies) ? cookies : [String(cookies)]), setCookie]);
  keepFromCaches(headersOf(res));
}

/** Marks a response as one that depends on the cookie. */
export const addVary = (res: ServerResponse): void => varyByCookie(headersOf(res));

/** Does the same for the arguments of a `writeHead`. Returns those that are left. */
export function varyHead(res: ServerResponse, given: readonly unknown[]): readonly unknown[] {
  const head = setHead(res, given);
  addVary(res);
  return head;
}

/** Cuts the connection, so that no client takes a part of the response for all of it. */
export function cut(res: ServerResponse): void {
  // A stream of HTTP/2 that is destroyed without an error looks complete. A socket would report an error to the server.
  if (isHttp1(res)) res.destroy();
  else res.destroy(new Error("The session could not be committed"));
}

/** Whether nothing can be sent any more: the client has disconnected, or has it all. HTTP/2 shows it on the stream. */
export function isGone(res: ServerResponse): boolean {
  const stream: unknown = Reflect.get(res, "stream");
  return (
    res.destroyed ||
    (typeof stream === "object" && stream !== null && "destroyed" in stream && stream.destroyed === true)
  );
}

/** The error that Node throws. */
export const headersWereSent = (): Error =>
  Object.assign(new Error("Cannot set headers after they are sent to the client"), {
    code: "ERR_HTTP_HEADERS_SENT",
  });
