import type { ResponseStage } from "@sessions/core/adapter-tools";

/** What a response may go out with. */
export interface Sealed {
  readonly setCookies: readonly string[];
  /** Whether the session can still be written to. */
  readonly more: boolean;
  /** Whether it was made of a session that the handler looked at. */
  readonly varies: boolean;
}

/** What the answers to one request have in common: the handler's, and the error page that takes its place. */
export interface Answer {
  /** Commits and seals for an answer of this status; nothing where there is no session. */
  seal(status: number): Promise<Sealed | undefined>;
  /** Whether an answer that goes out now is made of a session that the handler looked at. */
  varies(): boolean;
  /** Commits what was written since. */
  commit(): Promise<void>;
  /** Whether an answer of this status may go out uncommitted, because it is an error page that says so already. */
  tolerates(status: number, error: unknown): boolean;
  /** After `error`, with the response as it was before the answer, or with its connection cut. */
  failed(error: unknown, headersSent: boolean): void;
  /** It is over: what is written to the session from now on is committed by itself, and with `pending` so is what is now. */
  over(pending: boolean): ResponseStage;
  /** A write that came too late threw: what is written from now on is dropped, so that the error page can go out. */
  refused(): void;
}
