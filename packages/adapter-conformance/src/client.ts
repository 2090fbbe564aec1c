import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { Readable } from "node:stream";

/** A complete response. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The `Set-Cookie` headers. */
  readonly cookies: readonly string[];
  readonly text: string;
}

/** A request, and callbacks for the progress of its response. */
export interface HttpRequest {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called when the headers have arrived. */
  readonly onResponse?: () => void;
  /** Called with the text so far, each time more arrives. If it returns a promise, no more is read until it resolves. */
  readonly onData?: (text: string) => unknown;
}

/** One connection, for one request after another. */
export interface Connection {
  /** Resolves with a complete response; rejects if the connection or the stream is cut off. */
  ask(options?: HttpRequest): Promise<HttpResponse>;
  /** Closes the connection, whatever is under way. */
  close(): void;
}

/** Opens a connection to the address of a server. */
export type Connect = (url: string) => Connection;

export const connectHttp1: Connect = (url) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async ask({ path = "/", method = "GET", headers = {}, signal, ...told } = {}) {
      const request = http.request(new URL(path, url), {
        method,
        headers,
        agent,
        ...(signal && { signal }),
      });
      // Once there is a response, its body emits the error. Some runtimes emit it here as well.
      request.on("error", () => undefined);
      request.end();
      const [response]: http.IncomingMessage[] = await once(request, "response");
      if (!response) throw new Error("There is no response");
      return read(response, response.headers, response.statusCode, told);
    },
    close: () => agent.destroy(),
  };
};

export const connectHttp2: Connect = (url) => {
  const client = http2.connect(url);
  // Each request emits the error, too.
  client.on("error", () => undefined);
  return {
    async ask({ path = "/", method = "GET", headers = {}, signal, ...told } = {}) {
      const stream = client.request(
        { ...headers, ":path": path, ":method": method },
        { endStream: true, ...(signal && { signal }) },
      );
      const [answer]: http2.IncomingHttpHeaders[] = await once(stream, "response");
      if (!answer) throw new Error("There is no response");
      return read(stream, answer, Number(answer[":status"]), told);
    },
    close: () => client.destroy(),
  };
};

async function read(
  body: Readable,
  headers: http.IncomingHttpHeaders,
  status: number | undefined,
  { onResponse, onData }: Pick<HttpRequest, "onResponse" | "onData">,
): Promise<HttpResponse> {
  onResponse?.();
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
    await onData?.(Buffer.concat(chunks).toString());
  }
  return {
    status: status ?? 0,
    headers,
    cookies: headers["set-cookie"] ?? [],
    text: Buffer.concat(chunks).toString(),
  };
}

/** The Cookie header that a browser would send next. Of several cookies with one name it keeps the last. */
export function cookieOf({ cookies }: Pick<HttpResponse, "cookies">): string {
  const pairs = cookies.map((cookie) => cookie.split(";")[0] ?? "");
  return [...new Map(pairs.map((pair) => [pair.split("=")[0], pair])).values()].join("; ");
}

/** The Cookie header of a browser that sent one, and then got a response. */
export const cookieAfter = (cookie: string, answer: Pick<HttpResponse, "cookies">): string =>
  cookieOf(answer) || cookie;

/** Whether a `Set-Cookie` header removes a cookie, by either of its attributes. */
export function clears(setCookie: string | undefined, name: string): boolean {
  const [pair, ...attributes] = (setCookie ?? "").split(/; */);
  const expiry = attributes.find((it) => /^expires=/i.test(it))?.slice("expires=".length);
  return (
    pair === `${name}=` &&
    (attributes.some((it) => /^max-age=0$/i.test(it)) || Date.parse(expiry ?? "") < Date.now())
  );
}
