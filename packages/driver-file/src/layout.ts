import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { StoredRecord } from "@sessions/core";

/** The paths of the driver's files. Names are lower-case hexadecimal, so they fit a file system that ignores case. */
export interface Layout {
  readonly directory: string;
  /** The layout file, which says that the folder is the driver's, and which layout it has. */
  readonly version: string;
  /** The parent of new records' folders, before they are moved to their places. */
  readonly drafts: string;
  /** The parent of the shards of records. */
  readonly records: string;
  /** The parent of the shards of principals. */
  readonly principals: string;
  /** The folder of one record. */
  record(id: string): string;
  /** The folder of one principal's entries: under a digest, so that any name fits and none leaks. */
  principal(name: string): string;
}

export const LAYOUT_VERSION = "1";

/** Records and principals are spread over these folders, by the first two characters of id and digest. */
export const SHARDS: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, "0"),
);

const ID = /^[0-9a-f]{32}$/;

/** Whether it is an id: nothing else may become a part of a path. */
export const isId = (id: string): boolean => ID.test(id);

/** The forms of all names that the driver makes in its three folders: it reads and removes nothing else there. */
interface OwnNames {
  readonly shard: RegExp;
  readonly draft: RegExp;
  /** The folder of a record, in its shard. */
  record(shard: string): RegExp;
  /** The state of a record. */
  readonly number: RegExp;
  /** A file in the folder of a record: a state, or the draft of one. */
  readonly state: RegExp;
  /** The folder of a principal, in its shard. */
  principal(shard: string): RegExp;
  /** The entry of a principal: an id, and a unique name. */
  readonly entry: RegExp;
}

export const OWN: OwnNames = {
  shard: /^[0-9a-f]{2}$/,
  draft: ID,
  record: (shard) => new RegExp(`^${shard}[0-9a-f]{30}$`),
  // Numbers begin below 2 ** 47, so they never reach 16 digits.
  number: /^[1-9]\d{0,14}$/,
  state: /^([1-9]\d{0,14}|~[0-9a-f]{32})$/,
  principal: (shard) => new RegExp(`^${shard}[0-9a-f]{62}$`),
  entry: /^[0-9a-f]{32}\.[0-9a-f]{32}$/,
};

export function layoutOf(directory: string): Layout {
  const [records, principals] = [join(directory, "records"), join(directory, "principals")];
  return {
    directory,
    version: join(directory, "layout"),
    drafts: join(directory, "drafts"),
    records,
    principals,
    record: (id) => join(records, id.slice(0, 2), id),
    principal(name) {
      const digest = createHash("sha256").update(name).digest("hex");
      return join(principals, digest.slice(0, 2), digest);
    },
  };
}

/** The content of a record's file: a record, `null` where it has ended, or `undefined` where the file is damaged. */
export type Content = StoredRecord | null | undefined;

const digestOf = (body: string | Buffer): string => createHash("sha256").update(body).digest("hex");
const DIGEST_LENGTH = 64;

/** Writes a digest of the rest, which shows damage, then JSON with the fields as pairs. */
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

/** Reads the content of a record's file. */
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
