import type { SessionError } from "@sessions/core";

/** What a response may go out with. */
export interface Sealed {
  readonly setCookies: readonly string[];
  /** Whether the session can still be written to. */
  readonly more: boolean;
}

/** What an interception asks and reports. */
export interface Handlers {
  /** Commits and seals the session for headers of this status; `undefined` where they go out uncommitted. */
  onSeal(status: number): Promise<Sealed | undefined>;
  /** Whether headers that go out now depend on the cookie. */
  varies(): boolean;
  /** Commits what was written since the headers, before the last byte goes out. */
  onLastByte(): Promise<void>;
  /** The last byte is out, or cannot go out: no response waits for what is written to the session from now on. */
  onOver(): void;
  /** A middleware beneath wrote to the session too late, and the write was dropped. */
  onRefused(error: SessionError): void;
  /** The response is abandoned: it is as it was before the first call or, with `headersSent`, its connection is cut. */
  onFail(error: unknown, headersSent: boolean): void;
}
