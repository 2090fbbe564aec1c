import { createSessionManager, type SessionManager, type SessionManagerOptions } from "@sessions/core";
import { type Backend, createBackend } from "./backend.ts";
import { type Answer, type Ask, type Connect, type Connection, cookieOf } from "./client.ts";
import type { AdapterOptions, Handler, Listener, Reply, Start, Visit } from "./target.ts";

/** One thing that every adapter must do. */
export interface Case {
  readonly title: string;
  /** It needs a response of Node's, which middlewares listen to. */
  readonly listens?: boolean;
  run(serve: Serve): Promise<void>;
}

/** Starts an application with a backend of its own; both end with the case. */
export type Serve = (
  handler: Handler,
  options?: SessionManagerOptions,
  adapter?: AdapterOptions,
  around?: Around,
) => Promise<App>;

/** What an application has about the adapter. */
interface Around {
  readonly listener?: Listener;
  /** The manager, as the adapter is given it. */
  readonly wrap?: (sessions: SessionManager) => SessionManager;
}

/** An application that runs, seen from both of its ends. */
export interface App {
  readonly sessions: SessionManager;
  readonly backend: Backend;
  /** What reached the framework's error handling. */
  readonly errors: unknown[];
  /** Asks over a connection of its own. */
  ask(options?: Ask): Promise<Answer>;
  /** A connection for several requests. */
  connect(): Connection;
  /** A cookie of a session that holds `{ app: { n: 1 } }`, made behind the server's back; a principal logs it in. */
  visitor(principal?: string): Promise<string>;
  /** What a cookie's session holds in the store `app`, read afresh. */
  stored(cookie: string, key?: string): Promise<unknown>;
}

/** Runs a case against servers that `start` starts, and ends them. */
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

/** A handler that writes `app/n`, and then answers. */
export const writing =
  (n: number, reply: Reply = { body: "done" }): Handler =>
  ({ session }: Visit) => {
    session.store("app").set("n", n);
    return reply;
  };

/** A body in pieces, with what is done between them. */
export async function* pieces(
  ...parts: readonly (string | (() => unknown))[]
): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  for (const part of parts) {
    if (typeof part === "string") yield encoder.encode(part);
    else await part();
  }
}

/** A promise, and what resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
