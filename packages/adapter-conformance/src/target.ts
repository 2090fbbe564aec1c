import type { ServerResponse } from "node:http";
import type { Session, SessionManager } from "@sessions/core";
import type { Connect } from "./client.ts";

/** A promise of SPEC.md (`"H4"`) or one clause of it (`"H4.2"`). */
export type Rule = `H${number}` | `H${number}.${number}`;

/**
 * What not every adapter can do. SPEC.md marks the clauses that need it.
 *
 * - `"streams"`: the target sends a body that is a stream, piece by piece.
 * - `"node"`: the framework has a `node:http` response, and `start` calls {@link Application.before} and
 *   {@link Application.after}.
 * - `"touch"`, `"vary"`: the adapter has these options, and `start` passes {@link Application.options} on.
 */
export type Ability = "streams" | "node" | "touch" | "vary";

/** Every ability, and what a target without it lacks. */
export const ABILITIES: Readonly<Record<Ability, string>> = {
  streams: "bodies that are streams",
  node: "a response of node:http, which other middlewares may wrap",
  touch: "the option touch",
  vary: "the option vary",
};

/** A request and its session, in terms that fit every framework. */
export interface Visit {
  /** The session that the adapter opened for this request. */
  readonly session: Session;
  /** The HTTP method, in upper case. */
  readonly method: string;
  /** The path, with its query. */
  readonly url: string;
}

/** A reply of the kit's handler. The target sends it by the means of its framework. */
export interface Reply {
  /** @default 200 */
  readonly status?: number;
  /** The headers. One with several values is sent once for each. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /**
   * A text; for targets with the ability `"streams"` also a stream. A stream that throws stands for a handler that
   * fails after the head was sent.
   */
  readonly body?: string | AsyncIterable<Uint8Array>;
  /** A path to redirect to with status 303, by the framework's own means. */
  readonly redirect?: string;
}

/** The handler of a case. */
export type Handler = (visit: Visit) => Reply | Promise<Reply>;

/** Options that an adapter may have. Only cases that need the ability of the same name set them. */
export interface AdapterOptions {
  /** Returns whether a request keeps its session alive. */
  readonly touch?: () => boolean;
  /** Whether responses that depend on the session have `Vary: Cookie`. */
  readonly vary?: boolean;
}

/** The application that a server must run behind the adapter. */
export interface Application {
  /** The manager to pass to the adapter. */
  readonly sessions: SessionManager;
  /** Options to pass to the adapter. Ignore them without the abilities `"touch"` and `"vary"`. */
  readonly options: AdapterOptions;
  /** The only handler, for every path and method. If it rejects, hand the error to the framework. */
  handler(visit: Visit): Promise<Reply>;
  /**
   * Call it with each error that reaches the framework's error handling. Then respond with an error page, with status
   * 500 or the error's own `status`.
   */
  onError(error: unknown): void;
  /**
   * Only for the ability `"node"`: call it for each request in a middleware that is mounted before the adapter's.
   *
   * @param res The response of `node:http`.
   * @param session Returns the request's session once the adapter has opened it.
   */
  before(res: ServerResponse, session: () => Session | undefined): void;
  /** The same, in a middleware that is mounted after the adapter's. */
  after(res: ServerResponse, session: () => Session | undefined): void;
}

/** A running server. */
export interface Server {
  /** The address on which it listens: `"http://127.0.0.1:49152"`. */
  readonly url: string;
  /** Stops the server, and closes its connections. */
  close(): unknown;
}

/**
 * The adapter to test: how to start a server behind it, and what it can do. Unknown properties are refused, because they
 * may be misspelt.
 */
export interface Target {
  /** The adapter's name, for messages: `"Koa"`. */
  name: string;
  /** Starts an application behind the adapter, on a free port. */
  start(application: Application): Server | Promise<Server>;
  /** What the target can do. Clauses that need more are skipped. @default [] */
  abilities?: readonly Ability[] | undefined;
  /** Whether the server speaks HTTP/2 without TLS. To test both versions, make two targets. @default false */
  http2?: boolean | undefined;
  /**
   * Opens connections to the server, for a runtime whose `node:http` cannot.
   * @default HTTP/1.1 by `node:http`, or HTTP/2 by `node:http2`
   */
  connect?: Connect | undefined;
  /** Promises or clauses that this adapter cannot keep, each with its reason. The kit reports them as skipped. */
  exclude?: readonly { rule: Rule; reason: string }[] | undefined;
}
