import type { SessionError } from "@sessions/core";

/** What a response may go out with. */
export interface Sealed {
  readonly setCookies: readonly string[];
  /** Whether the session can still be written to. */
  readonly more: boolean;
}

/** What the answers to one request have in common: the handler's, and the error page that takes its place. */
export interface Answer {
  /** Commits and seals for an answer of this status; nothing where it goes out uncommitted. */
  seal(status: number): Promise<Sealed | undefined>;
  /** Whether an answer that goes out now is made of a session that the handler looked at. */
  varies(): boolean;
  /** Commits what was written since. */
  commit(): Promise<void>;
  /** Commits by itself what was written, and what is written from now on. */
  commitLate(): void;
  /** A middleware wrote too late: the error is a warning, once for each place, and what it writes again is dropped. */
  refused(error: SessionError): void;
  /** After `error`, with the response as it was before the answer, or with its connection cut. */
  failed(error: unknown, headersSent: boolean): void;
}
