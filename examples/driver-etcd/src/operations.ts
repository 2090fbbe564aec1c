import type { NewRecord } from "@sessions/core";
import type { Compare, KeyValue, Operation, TxnResponse } from "./client.ts";

/** What a record's own key holds: all that leads to the record. */
export type Meta = Pick<NewRecord, "expiresAt" | "principal">;

export const hex = (text: string): string => Buffer.from(text).toString("hex");
export const base64 = (text: string): string => Buffer.from(text).toString("base64");
export const textOf = (encoded: string | undefined): string =>
  Buffer.from(encoded ?? "", "base64").toString();

// Keys and values are ordered by their bytes, so times have all their digits. In hexadecimal no principal holds a slash.
export const digits = (time: number): string => String(time).padStart(16, "0");
export const encode = ({ expiresAt, principal = "" }: Meta): string =>
  `${digits(expiresAt)}/${hex(principal)}`;
export function decode({ value }: KeyValue): Meta {
  const [time, principal = ""] = textOf(value).split("/");
  return {
    expiresAt: Number(time),
    ...(principal !== "" && { principal: Buffer.from(principal, "hex").toString() }),
  };
}

export const put = (key: string, value: string): Operation => ({
  request_put: { key: base64(key), value: base64(value) },
});
export const get = (key: string): Operation => ({ request_range: { key: base64(key) } });
export const remove = (key: string): Operation => ({ request_delete_range: { key: base64(key) } });
/** From one key to another. No part of a key is as large as `~`. */
export const between = (key: string, end: string): { key: string; range_end: string } => ({
  key: base64(key),
  range_end: base64(end),
});
export const hasRevision = (key: string, revision: string): Compare => ({
  ...{ key: base64(key), target: "MOD", result: "EQUAL" },
  mod_revision: revision,
});

/** What each operation of a transaction found. */
export const found = ({ responses = [] }: TxnResponse): (readonly KeyValue[])[] =>
  responses.map(({ response_range }) => response_range?.kvs ?? []);
export const idOf = ({ key }: KeyValue): string => textOf(key).slice(-32);
