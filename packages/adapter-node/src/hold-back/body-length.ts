import type { ServerResponse } from "node:http";
import { givenHeader } from "./headers.ts";

/** How many bytes of a body went out, and how many its `Content-Length` promises. */
export class BodyLength {
  #promised = Number.POSITIVE_INFINITY;
  #written = 0;
  #head: readonly unknown[] = [];

  /** Keeps the arguments of a `writeHead` that passed: Node does not show the headers among them. */
  noteHead(head: readonly unknown[]): void {
    this.#head = head;
  }

  /** Reads what the head promises, from `writeHead`'s arguments or from a header that was set. */
  readPromise(res: ServerResponse): void {
    const length = givenHeader(this.#head, "content-length") ?? res.getHeader("Content-Length");
    this.#promised = Number(length ?? Number.POSITIVE_INFINITY);
  }

  add(bytes: number): void {
    this.#written += bytes;
  }

  /** Whether a client has the whole body once it has this many bytes more: it does not wait for the end. */
  isWhole(more = 0): boolean {
    return this.#written + more >= this.#promised;
  }
}

/** The bytes of the body in the arguments of `write`. */
export const sizeOf = ([chunk, encoding]: readonly unknown[]): number =>
  typeof chunk === "string"
    ? Buffer.byteLength(chunk, isEncoding(encoding) ? encoding : "utf8")
    : ArrayBuffer.isView(chunk)
      ? chunk.byteLength
      : 0;

const isEncoding = (value: unknown): value is BufferEncoding =>
  typeof value === "string" && Buffer.isEncoding(value);
