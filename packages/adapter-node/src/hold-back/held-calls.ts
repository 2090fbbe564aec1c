import type { Call, Method } from "./beneath.ts";
import type { Status } from "./headers.ts";

interface HeldCall extends Call {
  readonly bytes: number;
}

/** The calls that are held back, in order. */
export class HeldCalls {
  /** The response's status line at the first call. */
  readonly status: Status;
  readonly calls: HeldCall[] = [];
  /** The bytes of the body in all calls. */
  bytes = 0;
  /** `end` is among the calls. */
  hasEnd = false;
  /** The caller of `end` has returned. */
  isEndReturned = false;

  constructor(status: Status) {
    this.status = status;
  }

  add(method: Method, args: readonly unknown[], bytes: number): void {
    this.calls.push({ method, args, bytes });
    this.bytes += bytes;
    this.hasEnd ||= method === "end";
  }
}
