import type { Requests } from "./requests.ts";

/** What the parts of a driver share. */
export interface Backend extends Requests {
  readonly table: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** The index on principals. A touch writes nothing to it: it holds keys alone. */
export const INDEX = "principal";
