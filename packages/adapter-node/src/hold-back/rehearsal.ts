import type { ServerResponse } from "node:http";
import { isHttp1, setHead } from "./headers.ts";

/**
 * Calls the middlewares that wrapped `writeHead` after this one, such as `on-headers`, before the response has to
 * decide whether it waits. They may write to the session, and Node would call them only when it is too late to wait.
 * Each is called once.
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

  /** Takes the head of a rehearsed call. Returns `false` for a real call. */
  takes(res: ServerResponse, given: readonly unknown[]): boolean {
    if (!this.#isOn) return false;
    const [, reason] = setHead(res, given);
    if (typeof reason === "string" && isHttp1(res)) res.statusMessage = reason;
    this.#isOn = false;
    return true;
  }
}
