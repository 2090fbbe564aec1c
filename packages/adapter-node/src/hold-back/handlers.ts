import type { SessionError } from "@sessions/core";

/** The result of a commit that sealed the session. */
export interface Sealed {
  /** Values of `Set-Cookie` headers for the response. */
  readonly setCookies: readonly string[];
  /** Whether the session can still be written to. */
  readonly more: boolean;
}

/** The questions and events of an {@link Interception}. */
export interface Handlers {
  /** Commits and seals the session for headers of this status. `undefined`: the response goes out uncommitted. */
  onSeal(status: number): Promise<Sealed | undefined>;
  /** Whether headers that go out now depend on the cookie. */
  varies(): boolean;
  /** Commits what was written since the headers, before the last byte goes out. */
  onLastByte(): Promise<void>;
  /** The last byte is out, or cannot go out. No response waits for later writes to the session. */
  onOver(): void;
  /** A middleware beneath wrote to the session too late, and the write was dropped. */
  onRefused(error: SessionError): void;
  /** The response is abandoned. With `headersSent` its connection is cut; otherwise its methods are as they were. */
  onFail(error: unknown, headersSent: boolean): void;
}
