import type { Session, SessionManager } from "@sessions/core";

/** A request, and its session, in words that every framework can be brought to. */
export interface Visit {
  readonly session: Session;
  readonly method: string;
  /** The path, with its query. */
  readonly url: string;
}

/** What a handler answers, for the adapter's test to answer as its framework does. */
export interface Reply {
  /** 200 where none is given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A stream that throws is a handler that fails after the headers. */
  readonly body?: string | AsyncIterable<Uint8Array>;
  /** A path to redirect to with status 303, by the framework's own means. */
  readonly redirect?: string;
}

/** The one handler of an application, for every path and method. */
export type Handler = (visit: Visit) => Reply | Promise<Reply>;

/** Options that every adapter takes, where a case gives them. */
export interface AdapterOptions {
  /** What the adapter's `touch` is to return. */
  readonly touch?: boolean | undefined;
  readonly vary?: boolean | undefined;
}

/** What happens to a response: its head goes out, all of it was handed on, it is over. */
export type ResponseEvent = "head" | "finish" | "close";

/** Another middleware, which listens to each response. */
export interface Listener {
  /** Whether it comes before the adapter's own or after it. */
  readonly mounted: "before" | "after";
  heard(event: ResponseEvent, session: Session): void;
}

/** What a server is to run. */
export interface Application {
  readonly adapter: AdapterOptions;
  /** For adapters that say `listens`. */
  readonly listener?: Listener | undefined;
  readonly sessions: SessionManager;
  readonly handler: Handler;
  /** Is told of what reaches the framework's error handling, whose page has status 500, or the error's own. */
  onError(error: unknown): void;
}

/** A server that runs. */
export interface Server {
  readonly port: number;
  /** Stops it, and drops what is still connected. */
  close(): unknown;
}

/** Starts an application behind the adapter, on a free port of 127.0.0.1. */
export type Start = (application: Application) => Promise<Server>;

/** The runner's `test`: vitest's, jest's, node:test's, mocha's and bun's all fit. */
export interface TestFunction {
  (title: string, fn: () => Promise<void>): unknown;
  skip(title: string, fn: () => Promise<void>): unknown;
}

/** A case's options, as every adapter takes them. */
export const optionsOf = ({
  adapter: { touch, vary },
}: Application): { vary: boolean | undefined; touch: (() => boolean) | undefined } => ({
  vary,
  touch: touch === undefined ? undefined : () => touch,
});
