import type { ServerResponse } from "node:http";
import { givenHeader } from "./headers.ts";

/** Counts the bytes of a body that went out, against those that its `Content-Length` promises. */
export class BodyLength {
  #promised = Number.POSITIVE_INFINITY;
  #written = 0;
  #head: readonly unknown[] = [];

  /** Keeps the arguments of a `writeHead` that passed, because `getHeader` does not return the headers among them. */
  noteHead(head: readonly unknown[]): void {
    this.#head = head;
  }

  /** Reads `Content-Length` from the arguments of `writeHead`, or from a header that was set. */
  readPromise(res: ServerResponse): void {
    const length = givenHeader(this.#head, "content-length") ?? res.getHeader("Content-Length");
    this.#promised = Number(length ?? Number.POSITIVE_INFINITY);
  }

  add(bytes: number): void {
    this.#written += bytes;
  }

  /** Whether a client has the whole body after `more` bytes. It then does not wait for the end. */
  isWhole(more = 0): boolean {
    return this.#written + more >= this.#promised;
  }
}

/** How many bytes of the body the arguments of `write` hold. */
export const sizeOf = ([chunk, encoding]: readonly unknown[]): number =>
  typeof chunk === "string"
    ? Buffer.byteLength(chunk, isEncoding(encoding) ? encoding : "utf8")
    : ArrayBuffer.isView(chunk)
      ? chunk.byteLength
      : 0;

const isEncoding = (value: unknown): value is BufferEncoding =>
  typeof value === "string" && Buffer.isEncoding(value);
