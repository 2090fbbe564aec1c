import { createHash } from "node:crypto";
import { join } from "node:path";

/** Where everything lies. Names are lower-case hexadecimal, so they fit a file system that ignores case. */
export interface Layout {
  readonly directory: string;
  /** Says that the folder is the driver's, and how files are laid out. */
  readonly version: string;
  /** The folders of new records, before they are moved to their places. */
  readonly drafts: string;
  /** The parent of the shards of records, or of principals. */
  readonly records: string;
  readonly principals: string;
  /** The folder of one record. */
  record(id: string): string;
  /** The folder of one principal's entries: by a digest, so that any name fits and none leaks. */
  principal(name: string): string;
}

export const LAYOUT_VERSION = "1";

/** Records and principals are spread over these, by the first two characters of id and digest. */
export const SHARDS: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, "0"),
);

const ID = /^[0-9a-f]{32}$/;

/** Nothing else becomes a part of a path. */
export const isId = (id: string): boolean => ID.test(id);

/** The forms of all names that the driver makes in its three folders: nothing else there is read or removed. */
interface OwnNames {
  readonly shard: RegExp;
  readonly draft: RegExp;
  /** The folder of a record, in its shard. */
  record(shard: string): RegExp;
  /** The states of a record. */
  readonly number: RegExp;
  /** What is in the folder of a record: its states, and those that are in the making. */
  readonly state: RegExp;
  /** The folder of a principal, in its shard. */
  principal(shard: string): RegExp;
  /** An id, and what makes the entry one of its own. */
  readonly entry: RegExp;
}

export const OWN: OwnNames = {
  shard: /^[0-9a-f]{2}$/,
  draft: ID,
  record: (shard) => new RegExp(`^${shard}[0-9a-f]{30}$`),
  // They begin below 2 ** 47, and one of 16 digits will not come.
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
