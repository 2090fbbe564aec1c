import { createHash } from "node:crypto";
import { join } from "node:path";

/** Where everything lies. Names are lower-case hexadecimal, so they fit a file system that ignores case. */
export interface Layout {
  readonly directory: string;
  /** Says that `setup()` was run, and how files are laid out. */
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

/** What the driver makes, level by level below its three folders: nothing else there is read or removed. */
export const OWN_NAMES: Readonly<Record<"records" | "principals" | "drafts", readonly RegExp[]>> = {
  records: [/^[0-9a-f]{2}$/, ID, /^(\d{1,16}|~[0-9a-f]{32})$/],
  principals: [/^[0-9a-f]{2}$/, /^[0-9a-f]{64}$/, /^[0-9a-f]{32}\.[0-9a-f]{32}$/],
  drafts: [ID, /^\d{1,16}$/],
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
