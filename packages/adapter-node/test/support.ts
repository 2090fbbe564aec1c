import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import net, { type AddressInfo } from "node:net";
import { type Backend, createBackend } from "@sessions/adapter-conformance";
import {
  createSessionManager,
  type Session,
  type SessionManager,
  type SessionManagerOptions,
} from "@sessions/core";
import connect from "connect";
import express5 from "express";
import express4 from "express4";
import { onTestFinished } from "vitest";
import { openSession, sessionMiddleware } from "../src/index.ts";

export { type Backend, createBackend };

export interface Visit {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly session: Session;
}
export type Handler = (visit: Visit) => unknown;

export interface App {
  readonly sessions: SessionManager;
  readonly backend: Backend;
  readonly port: number;
  /** Errors that reached the framework's error handling, and warnings of the process. */
  readonly errors: unknown[];
}

interface AppOptions extends SessionManagerOptions {
  readonly backend?: Backend;
}

export const listen = async (listener: http.RequestListener): Promise<number> => {
  const server = http.createServer(listener);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};

/** Starts one handler on one kind of server. */
export type Start = (handler: Handler, options?: AppOptions) => Promise<App>;
type Build = (
  sessions: SessionManager,
  handler: Handler,
  onError: (error: unknown) => void,
) => http.RequestListener;

const starter =
  (build: Build): Start =>
  async (handler, { backend = createBackend(), ...options } = {}) => {
    const sessions = createSessionManager({ driver: backend.driver, ...options });
    const errors: unknown[] = [];
    const port = await listen(build(sessions, handler, (error) => errors.push(error)));
    return { sessions, backend, port, errors };
  };

const visitOf = (req: IncomingMessage & { session?: Session }, res: ServerResponse): Visit => {
  if (!req.session) throw new Error("the session is not ready");
  return { req, res, session: req.session };
};

/** Error pages that contain nothing but the error. */
const errorPage = (onError: (error: unknown) => void, error: unknown, res: ServerResponse): void => {
  onError(error);
  res.statusCode = 500;
  res.end("error page");
};

export const servers: Record<"node:http" | "Connect" | "Express 4" | "Express 5", Start> = {
  "node:http": starter((sessions, handler, onError) => {
    const warned = (warning: Error): void => {
      if (warning.message.endsWith(" is down")) onError(warning);
    };
    process.on("warning", warned);
    onTestFinished(() => {
      process.off("warning", warned);
    });
    return async (req, res) => {
      let session: Session;
      try {
        session = await openSession(sessions, req, res);
      } catch (error) {
        errorPage(onError, error, res);
        return;
      }
      await handler({ req, res, session });
    };
  }),
  Connect: starter((sessions, handler, onError) => {
    const app = connect();
    app.use(sessionMiddleware(sessions));
    app.use((req, res) => handler(visitOf(req, res)));
    app.use((error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) =>
      errorPage(onError, error, res),
    );
    return app;
  }),
  "Express 4": starter((sessions, handler, onError) => {
    const app = express4();
    app.use(sessionMiddleware(sessions));
    app.use((req, res) => handler(visitOf(req, res)));
    app.use((error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) =>
      errorPage(onError, error, res),
    );
    return app;
  }),
  "Express 5": starter((sessions, handler, onError) => {
    const app = express5();
    app.use(sessionMiddleware(sessions));
    app.use((req, res) => handler(visitOf(req, res)));
    app.use((error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) =>
      errorPage(onError, error, res),
    );
    return app;
  }),
};

export interface Answer {
  readonly status: number;
  readonly statusMessage: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly cookies: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  readonly trailers: NodeJS.Dict<string>;
  /** The informational responses. */
  readonly informational: readonly number[];
}

export interface Ask {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly agent?: http.Agent;
  readonly body?: string;
  /** Called when the headers are there. */
  readonly onResponse?: () => void;
  /** Called with the text so far, each time more arrives. */
  readonly onData?: (text: string) => void;
}

/** Resolves with a complete response; rejects if the connection is cut. */
export function ask(port: number, options: Ask = {}): Promise<Answer> {
  const { path = "/", method = "GET", headers = {}, agent, body, onData, onResponse } = options;
  return new Promise((resolve, reject) => {
    const informational: number[] = [];
    const req = http.request({
      host: "127.0.0.1",
      port,
      path,
      method,
      headers,
      ...(agent ? { agent } : { agent: false }),
    });
    req.on("error", reject);
    req.on("information", ({ statusCode }) => informational.push(statusCode));
    req.on("response", (res) => {
      onResponse?.();
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        onData?.(Buffer.concat(chunks).toString());
      });
      res.on("error", reject);
      res.on("end", () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: res.statusCode ?? 0,
          statusMessage: res.statusMessage ?? "",
          headers: res.headers,
          rawHeaders: res.rawHeaders,
          cookies: res.headers["set-cookie"] ?? [],
          body: whole,
          text: whole.toString(),
          trailers: res.trailers,
          informational,
        });
      });
    });
    req.end(body);
  });
}

/** The Cookie header that a browser would send next. */
export const cookieOf = ({ cookies }: Pick<Answer, "cookies">): string =>
  cookies.map((cookie) => cookie.split(";")[0] ?? "").join("; ");

/** Makes a session that holds `{ app: { n: 1 } }`, without a request. Returns its cookie. */
export async function visitor({ sessions, backend }: App): Promise<string> {
  const session = await sessions.open(undefined);
  session.store("app").set("n", 1);
  const { setCookie = "" } = await session.commit();
  backend.calls.length = 0;
  return cookieOf({ cookies: [setCookie] });
}

/** Reads `app/n` of a cookie's session from the backend. */
export async function stored({ sessions }: App, cookie: string): Promise<unknown> {
  return (await sessions.open(cookie)).store("app").get("n");
}

/** A promise and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Sends bytes. Returns all bytes that arrive until the server closes. */
export async function exchange(port: number, text: string): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  socket.write(text);
  let all = "";
  for await (const chunk of socket) all += String(chunk);
  return all;
}
