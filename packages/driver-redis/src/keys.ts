import { createHash } from "node:crypto";

/** The keys of one prefix. */
export interface Keys {
  record(id: string): string;
  /** A digest, so that its length is fixed and no name leaks; the dot, in which no record's key ends, keeps the two apart. */
  index(principal: string): string;
  /** Says that `setup()` was run, and how records are laid out. */
  readonly layout: string;
  /** The id in a record's key. */
  idOf(key: string): string | undefined;
  isIndex(key: string): boolean;
  /** What a key of that name is; `undefined` for a name that the driver does not give. */
  kindOf(key: string): "record" | "index" | "layout" | undefined;
  /** A pattern for SCAN that fits at least all of them. */
  readonly pattern: string;
}

const ID = /^[0-9a-f]{32}$/;
const INDEX = /^@[\w-]{43}\.$/;

export function keysOf(prefix: string): Keys {
  const rest = (key: string): string => (key.startsWith(prefix) ? key.slice(prefix.length) : "");
  const isIndex = (key: string): boolean => INDEX.test(rest(key));
  const layout = `${prefix}layout`;
  return {
    record: (id) => prefix + id,
    index: (principal) => `${prefix}@${createHash("sha256").update(principal).digest("base64url")}.`,
    layout,
    idOf: (key) => (ID.test(rest(key)) ? rest(key) : undefined),
    isIndex,
    kindOf(key) {
      if (key === layout) return "layout";
      if (isIndex(key)) return "index";
      return ID.test(rest(key)) ? "record" : undefined;
    },
    pattern: `${prefix.replace(/[\\*?[\]^-]/g, "\\$&")}*`,
  };
}
