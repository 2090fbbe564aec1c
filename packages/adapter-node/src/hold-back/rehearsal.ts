import type { ServerResponse } from "node:http";
import { isHttp1, setHead } from "./headers.ts";

/**
 * Lets middlewares that wrapped `writeHead` after this one (`on-headers`) do their work before it is decided whether the
 * response waits: they may write to the session. Node would call them in the middle of its own work, when it is too
 * late to wait. They are called once.
 */
export class Rehearsal {
  #isOn = false;

  run(res: ServerResponse, own: ServerResponse["writeHead"]): void {
    this.#isOn = true;
    try {
      res.writeHead(res.statusCode);
      if (!this.#isOn) res.writeHead = own;
    } finally {
      this.#isOn = false;
    }
  }

  /** Sets the head of a rehearsed call; `false` for a call that is meant. */
  takes(res: ServerResponse, given: readonly unknown[]): boolean {
    if (!this.#isOn) return false;
    const [, reason] = setHead(res, given);
    if (typeof reason === "string" && isHttp1(res)) res.statusMessage = reason;
    this.#isOn = false;
    return true;
  }
}
