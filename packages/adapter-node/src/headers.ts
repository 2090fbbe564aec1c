import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** What a handler may have changed of a response that has not gone out. */
export interface Snapshot {
  readonly headers: ReadonlyMap<string, OutgoingHttpHeader>;
  readonly statusMessage: string | undefined;
}

/** HTTP/2 has no reason phrase, and Node warns of whoever looks. */
export const isHttp1 = (res: ServerResponse): boolean => res.req.httpVersionMajor < 2;

export function takeSnapshot(res: ServerResponse): Snapshot {
  const headers = new Map<string, OutgoingHttpHeader>();
  for (const [name, value] of Object.entries(res.getHeaders())) {
    // A copy, because appendHeader() grows the list in place.
    if (value !== undefined) headers.set(name, Array.isArray(value) ? [...value] : value);
  }
  return {
    headers,
    statusMessage: isHttp1(res) ? res.statusMessage : undefined,
  };
}

/** Takes back what the handler made of the response. */
export function restore(res: ServerResponse, { headers, statusMessage }: Snapshot): void {
  for (const name of res.getHeaderNames()) if (!headers.has(name)) res.removeHeader(name);
  for (const [name, value] of headers) if (res.getHeader(name) !== value) res.setHeader(name, value);
  // An error page whose author forgets the status must not pass for a success.
  res.statusCode = 500;
  // Node's type leaves out that there is none before the first one is set.
  if (isHttp1(res)) Object.assign(res, { statusMessage });
}

/** Sets what `writeHead` was given, so that it can be seen, and added to, before it goes out. */
export function setHeaders(
  res: ServerResponse,
  headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[],
): void {
  const checked = (value: OutgoingHttpHeader | undefined): OutgoingHttpHeader => {
    if (value === undefined) throw new TypeError("writeHead() was given a header without a value");
    return value;
  };
  if (!isList(headers)) {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, checked(value));
    return;
  }
  // Names and values in turn, or in pairs. It replaces what was set before, and may name a header twice.
  const list = Array.isArray(headers[0]) ? headers.flat() : headers;
  const names = list.filter((_, index) => index % 2 === 0).map(String);
  for (const name of names) res.removeHeader(name);
  names.forEach((name, index) => {
    const value = checked(list[2 * index + 1]);
    res.appendHeader(name, typeof value === "number" ? String(value) : value);
  });
}

// Array.isArray does not narrow a union with a readonly array.
const isList = (
  headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[],
): headers is readonly OutgoingHttpHeader[] => Array.isArray(headers);

/** Adds the session's cookie to the application's own, and keeps shared caches from handing it to others. */
export function addCookie(res: ServerResponse, setCookie: string): void {
  const cookies = res.getHeader("Set-Cookie") ?? [];
  res.setHeader("Set-Cookie", [...(Array.isArray(cookies) ? cookies : [String(cookies)]), setCookie]);
  const directives = String(res.getHeader("Cache-Control") ?? "")
    .replace(/"(?:[^"\\]|\\.)*"/g, "")
    .toLowerCase()
    .split(",")
    .map((directive) => directive.trim());
  if (!directives.includes("private") && !directives.includes("no-store"))
    res.setHeader("Cache-Control", "private, no-store");
}

/** Ends the connection so that no client takes what it has for the whole response. */
export function cut(res: ServerResponse): void {
  // A stream of HTTP/2 that is destroyed without an error ends like any other; a socket's error would reach the server.
  if (isHttp1(res)) res.destroy();
  else res.destroy(new Error("The session could not be committed"));
}

/** The bytes of what `write` was given. */
export const sizeOf = ([chunk, encoding]: readonly unknown[]): number =>
  typeof chunk === "string"
    ? Buffer.byteLength(chunk, isEncoding(encoding) ? encoding : "utf8")
    : ArrayBuffer.isView(chunk)
      ? chunk.byteLength
      : 0;

const isEncoding = (value: unknown): value is BufferEncoding =>
  typeof value === "string" && Buffer.isEncoding(value);
