import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { StoredRecord } from "@sessions/core";

/** What a record's file says: a record, that it has ended (`null`), or nothing that can be trusted (`undefined`). */
export type Content = StoredRecord | null | undefined;

const digestOf = (body: string | Buffer): string => createHash("sha256").update(body).digest("hex");
const DIGEST_LENGTH = 64;

/** A digest of the rest, so that damage is seen; then JSON. Fields are pairs: names may spell `__proto__/x`. */
export function encode(record: StoredRecord | null): string {
  const body = JSON.stringify(
    record && {
      version: record.version,
      expiresAt: record.expiresAt,
      principal: record.principal,
      fields: [...record.fields],
    },
  );
  return `${digestOf(body)}\n${body}\n`;
}

const isObject = (value: unknown): value is Record<string, unknown> => Object(value) === value;
const isPair = (value: unknown): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");

export function decode(file: Buffer): Content {
  const body = file.subarray(DIGEST_LENGTH + 1, -1);
  if (file.toString("latin1", 0, DIGEST_LENGTH) !== digestOf(body)) return undefined;
  const value: unknown = JSON.parse(body.toString());
  if (value === null) return null;
  if (!isObject(value)) return undefined;
  const { version, expiresAt, principal, fields } = value;
  if (typeof version !== "number" || typeof expiresAt !== "number" || !Array.isArray(fields))
    return undefined;
  return {
    version,
    expiresAt,
    fields: new Map(fields.filter(isPair)),
    ...(typeof principal === "string" && { principal }),
  };
}
