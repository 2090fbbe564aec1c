import { createSessionManager, type SessionManager, type SessionManagerOptions } from "@sessions/core";
import { type Backend, createBackend } from "./backend.ts";
import { type Connect, type Connection, cookieOf, type HttpRequest, type HttpResponse } from "./client.ts";
import type { AdapterOptions, Handler, Listener, Reply, Start, Visit } from "./target.ts";

/** One rule for every adapter, as a test. */
export interface Case {
  readonly title: string;
  /** The case needs a response of `node:http` that middlewares can listen to. */
  readonly listens?: boolean;
  run(serve: Serve): Promise<void>;
}

/** Starts an application with a new backend. Both end with the case. */
export type Serve = (
  handler: Handler,
  options?: SessionManagerOptions,
  adapter?: AdapterOptions,
  around?: Around,
) => Promise<App>;

/** Additions to an application around the adapter. */
interface Around {
  readonly listener?: Listener;
  /** Wraps the manager that is passed to the adapter. */
  readonly wrap?: (sessions: SessionManager) => SessionManager;
}

/** A running application, with its client and its backend. */
export interface App {
  readonly sessions: SessionManager;
  readonly backend: Backend;
  /** The errors that reached the framework's error handling. */
  readonly errors: unknown[];
  /** Sends a request over a new connection. */
  ask(options?: HttpRequest): Promise<HttpResponse>;
  /** Opens a connection for several requests. */
  connect(): Connection;
  /** Makes a session that holds `{ app: { n: 1 } }`, without a request; logs a principal in. Returns the cookie. */
  visitor(principal?: string): Promise<string>;
  /** Reads a key of the store `app` of a cookie's session from the backend. @default key "n" */
  stored(cookie: string, key?: string): Promise<unknown>;
}

/** Runs a case against the servers that `start` starts, and closes them. */
export async function runCase({ run }: Case, start: Start, connect: Connect): Promise<void> {
  const ends: (() => unknown)[] = [];
  try {
    await run(async (handler, options, adapter = {}, { listener, wrap } = {}) => {
      const backend = createBackend();
      const sessions = createSessionManager({ driver: backend.driver, ...options });
      const errors: unknown[] = [];
      const server = await start({
        sessions: wrap ? wrap(sessions) : sessions,
        handler,
        adapter,
        listener,
        onError: (error) => errors.push(error),
      });
      ends.push(() => server.close());
      return {
        sessions,
        backend,
        errors,
        async ask(asked) {
          const connection = connect(server.port);
          try {
            return await connection.ask(asked);
          } finally {
            connection.close();
          }
        },
        connect() {
          const connection = connect(server.port);
          ends.unshift(() => connection.close());
          return connection;
        },
        async visitor(principal) {
          const session = await sessions.open(undefined);
          session.store("app").set("n", 1);
          if (principal !== undefined) session.login(principal);
          const { setCookie = "" } = await session.commit();
          backend.calls.length = 0;
          return cookieOf({ cookies: [setCookie] });
        },
        stored: async (cookie, key = "n") => (await sessions.open(cookie)).store("app").get(key),
      };
    });
  } finally {
    for (const end of ends) await end();
  }
}

/** A handler that writes `app/n`, and then replies. */
export const writing =
  (n: number, reply: Reply = { body: "done" }): Handler =>
  ({ session }: Visit) => {
    session.store("app").set("n", n);
    return reply;
  };

/** A body in pieces. Functions run between the pieces. */
export async function* pieces(
  ...parts: readonly (string | (() => unknown))[]
): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  for (const part of parts) {
    if (typeof part === "string") yield encoder.encode(part);
    else await part();
  }
}

/** A promise and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
