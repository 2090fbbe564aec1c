import assert from "node:assert/strict";
import { createSessionManager, type SessionManager, type SessionManagerOptions } from "@sessions/core";
import { type Backend, createBackend } from "./backend.ts";
import {
  type Connection,
  connectHttp1,
  connectHttp2,
  cookieOf,
  type HttpRequest,
  type HttpResponse,
} from "./client.ts";
import { type Listener, listenTo } from "./listen-to.ts";
import {
  ABILITIES,
  type Ability,
  type AdapterOptions,
  type Application,
  type Handler,
  type Reply,
  type Rule,
  type Target,
  type Visit,
} from "./target.ts";
import { within } from "./within.ts";

/** One clause of SPEC.md as a test. */
export interface Case {
  readonly rule: Rule;
  /** The clause's sentence. */
  readonly title: string;
  /** Without this ability the case is skipped. */
  readonly needs?: Ability;
  run(kit: Kit): Promise<void>;
}

/** The means of a case. Everything that it starts ends with it. */
export interface Kit {
  /** Whether the target has this ability. */
  can(ability: Ability): boolean;
  /** Starts an application with a new backend. */
  serve(
    handler: Handler,
    options?: SessionManagerOptions,
    adapter?: AdapterOptions,
    around?: Around,
  ): Promise<App>;
}

/** Additions to an application around the adapter. */
interface Around {
  /** Needs the ability `"node"`. */
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

/** The longest that a case may take, so that an adapter that hangs fails the case instead of blocking the run. */
const CASE_MS = 10_000;

/** The reason why a case cannot run on this target. */
export function missingIn({ abilities = [] }: Target, needs: Ability | undefined): string | undefined {
  if (needs === undefined || abilities.includes(needs)) return undefined;
  return `without the ability "${needs}": ${ABILITIES[needs]}`;
}

/**
 * Runs a case against the servers that the target starts, and closes them.
 *
 * @param manage Makes the manager: for another library, something that looks like one to the case.
 */
export async function runCase(
  target: Target,
  { run }: Case,
  manage: typeof createSessionManager = createSessionManager,
): Promise<void> {
  const { abilities = [] } = target;
  const ends: (() => unknown)[] = [];
  const faults: unknown[] = [];
  const reported: unknown[] = [];
  const kit: Kit = {
    can: (ability) => abilities.includes(ability),
    serve: (handler, options = {}, adapter = {}, around = {}) =>
      serve(target, ends, manage, handler, options, adapter, around, reported),
  };
  try {
    await within(CASE_MS, run(kit), "the case did not end");
  } catch (error) {
    faults.push(error);
  }
  // Run every step even if one fails, and report the case's own error before theirs.
  for (const end of ends)
    await within(CASE_MS, Promise.resolve().then(end), "close() did not end").catch((error: unknown) =>
      faults.push(error),
    );
  if (faults.length > 0) throw withCause(faults[0], reported[0]);
}

/** Adds what reached the framework's error handling, which most likely is why a response was not as expected. */
function withCause(fault: unknown, reported: unknown): unknown {
  if (fault instanceof Error && reported !== undefined) fault.cause ??= reported;
  return fault;
}

async function serve(
  target: Target,
  ends: (() => unknown)[],
  manage: typeof createSessionManager,
  handler: Handler,
  options: SessionManagerOptions,
  adapter: AdapterOptions,
  { listener, wrap }: Around,
  reported: unknown[],
): Promise<App> {
  const backend = createBackend();
  const sessions = manage({ driver: backend.driver, ...options });
  const errors: unknown[] = [];
  let isMounted = false;
  const mount =
    (place: Listener["mounted"]): Application["before"] =>
    (res, session) => {
      if (listener?.mounted !== place) return;
      isMounted = true;
      listenTo(res, listener, session);
    };
  const server = await target.start({
    sessions: wrap ? wrap(sessions) : sessions,
    options: adapter,
    handler: async (visit) => handler(visit),
    onError(error) {
      errors.push(error);
      reported.push(error);
    },
    before: mount("before"),
    after: mount("after"),
  });
  const url = server?.url;
  assert.ok(URL.canParse(url), "target.start() must return { url, close }, or a promise of it");
  ends.push(() => server.close());
  const open = (): Connection => (target.connect ?? (target.http2 ? connectHttp2 : connectHttp1))(url);
  const app: App = {
    sessions,
    backend,
    errors,
    async ask(asked) {
      const connection = open();
      try {
        return await connection.ask(asked);
      } finally {
        connection.close();
        assert.ok(
          listener === undefined || isMounted,
          `target.start() must call application.${listener?.mounted}() for each request, because the target names the ability "node"`,
        );
      }
    },
    connect() {
      const connection = open();
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
  return {
    ...app,
    ask(asked) {
      const answer = app.ask(asked);
      // A case that has failed leaves its other answers alone.
      answer.catch(() => undefined);
      return answer;
    },
  };
}

/** A handler that writes `app/n`, and then replies. */
export const writing =
  (n: number, reply: Reply = { body: "done" }): Handler =>
  ({ session }: Visit) => {
    session.store("app").set("n", n);
    return reply;
  };

/**
 * Waits so long that a response that does not wait arrives first. Some turns of the event loop, because on a busy machine
 * a length of time alone may pass before the response was read.
 */
export async function longEnough(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 3));
}

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
