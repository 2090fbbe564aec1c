import type { ServerResponse } from "node:http";
import { givenHeader } from "./headers.ts";

/** How far a body has come, of what its `Content-Length` promises. */
export class BodyLength {
  #promised = Number.POSITIVE_INFINITY;
  #written = 0;

  /** Reads what a head promises, by a header that was set, or by one of what `writeHead` was given. */
  expect(res: ServerResponse, head: readonly unknown[] = []): void {
    const length = givenHeader(head, "content-length") ?? res.getHeader("Content-Length");
    this.#promised = Number(length ?? Number.POSITIVE_INFINITY);
  }

  add(bytes: number): void {
    this.#written += bytes;
  }

  /** Whether a client has the whole body once it has so many bytes more: it does not wait for the end. */
  isWhole(more = 0): boolean {
    return this.#written + more >= this.#promised;
  }
}

/** The bytes of what `write` was given. */
export const sizeOf = ([chunk, encoding]: readonly unknown[]): number =>
  typeof chunk === "string"
    ? Buffer.byteLength(chunk, isEncoding(encoding) ? encoding : "utf8")
    : ArrayBuffer.isView(chunk)
      ? chunk.byteLength
      : 0;

const isEncoding = (value: unknown): value is BufferEncoding =>
  typeof value === "string" && Buffer.isEncoding(value);
