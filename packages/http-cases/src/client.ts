import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { Readable } from "node:stream";

/** A whole response. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Its `Set-Cookie` headers. */
  readonly cookies: readonly string[];
  readonly text: string;
}

/** A request, and who is told of its response while that comes. */
export interface Ask {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called when the headers are there. */
  readonly onResponse?: () => void;
  /** Called with what came so far, each time some more came. */
  readonly onData?: (text: string) => void;
}

/** One connection, for requests one after another. */
export interface Connection {
  /** Resolves with a whole response; rejects where the connection, or the stream, is cut. */
  ask(options?: Ask): Promise<Answer>;
  close(): void;
}

/** Opens connections of one version of HTTP. */
export type Connect = (port: number) => Connection;

export const connectHttp1: Connect = (port) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return {
    async ask({ path = "/", method = "GET", headers = {}, signal, ...told } = {}) {
      const request = http.request({
        host: "127.0.0.1",
        port,
        path,
        method,
        headers,
        agent,
        ...(signal && { signal }),
      });
      // Once there is a response, its body tells of the error; some runtimes tell of it here as well.
      request.on("error", () => undefined);
      request.end();
      const [response]: http.IncomingMessage[] = await once(request, "response");
      if (!response) throw new Error("There is no response");
      return read(response, response.headers, response.statusCode, told);
    },
    close: () => agent.destroy(),
  };
};

export const connectHttp2: Connect = (port) => {
  const client = http2.connect(`http://127.0.0.1:${port}`);
  // Each request has its own error.
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
  { onResponse, onData }: Pick<Ask, "onResponse" | "onData">,
): Promise<Answer> {
  onResponse?.();
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
    onData?.(Buffer.concat(chunks).toString());
  }
  return {
    status: status ?? 0,
    headers,
    cookies: headers["set-cookie"] ?? [],
    text: Buffer.concat(chunks).toString(),
  };
}

/** The Cookie header that a browser would send next. */
export const cookieOf = ({ cookies }: Pick<Answer, "cookies">): string =>
  cookies.map((cookie) => cookie.split(";")[0] ?? "").join("; ");
