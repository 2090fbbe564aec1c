import type { Session, SessionManager } from "@sessions/core";

/** A request and its session, in terms that fit every framework. */
export interface Visit {
  readonly session: Session;
  readonly method: string;
  /** The path, with its query. */
  readonly url: string;
}

/** A handler's reply. The adapter's test sends it by the means of its framework. */
export interface Reply {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A text or a stream. A stream that throws stands for a handler that fails after the headers. */
  readonly body?: string | AsyncIterable<Uint8Array>;
  /** A path to redirect to with status 303, by the framework's own means. */
  readonly redirect?: string;
}

/** The only handler of an application, for every path and method. */
export type Handler = (visit: Visit) => Reply | Promise<Reply>;

/** Options that every adapter takes, if a case sets them. */
export interface AdapterOptions {
  /** The result of the adapter's `touch`. */
  readonly touch?: boolean | undefined;
  readonly vary?: boolean | undefined;
}

/** An event of a response: its head goes out, all of it was passed to the system, it has ended. */
export type ResponseEvent = "head" | "finish" | "close";

/** Another middleware that listens to each response. */
export interface Listener {
  /** Whether it is mounted before or after the adapter's middleware. */
  readonly mounted: "before" | "after";
  heard(event: ResponseEvent, session: Session): void;
}

/** The application that a server must run. */
export interface Application {
  readonly adapter: AdapterOptions;
  /** Mount it with {@link listenTo}. Only set for adapters with `listens: true`. */
  readonly listener?: Listener | undefined;
  readonly sessions: SessionManager;
  readonly handler: Handler;
  /** Call it with each error that reaches the framework's error handling. The page has status 500, or the error's. */
  onError(error: unknown): void;
}

/** A running server. */
export interface Server {
  readonly port: number;
  /** Stops the server, and closes its connections. */
  close(): unknown;
}

/** Starts an application behind the adapter, on a free port of 127.0.0.1. */
export type Start = (application: Application) => Promise<Server>;

/** The runner's `test`: vitest's, jest's, node:test's, mocha's and bun's all fit. */
export interface TestFunction {
  (title: string, fn: () => Promise<void>): unknown;
  skip(title: string, fn: () => Promise<void>): unknown;
}

/** Returns the options of a case in the form that every adapter takes. */
export const optionsOf = ({
  adapter: { touch, vary },
}: Application): { vary: boolean | undefined; touch: (() => boolean) | undefined } => ({
  vary,
  touch: touch === undefined ? undefined : () => touch,
});
