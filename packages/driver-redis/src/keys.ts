import { createHash } from "node:crypto";

/** The keys of one prefix. */
export interface Keys {
  /** The key of a record. */
  record(id: string): string;
  /**
   * The key of a principal's set: under a digest, so that its length is fixed and no name leaks. No record's key ends
   * in a dot, so the two never meet.
   */
  set(principal: string): string;
  /** The key that says that `setup()` was run, and how records are laid out. */
  readonly layout: string;
  /** The id in a record's key; `undefined` for any other key. */
  idOf(key: string): string | undefined;
  /** Whether it is the key of a principal's set. */
  isSet(key: string): boolean;
  /** The kind of key that has this name; `undefined` for a name that the driver does not give. */
  kindOf(key: string): "record" | "set" | "layout" | undefined;
  /** A pattern for SCAN that matches all of them, and perhaps more. */
  readonly pattern: string;
}

const ID = /^[0-9a-f]{32}$/;
const SET = /^@[\w-]{43}\.$/;

export function keysOf(prefix: string): Keys {
  const rest = (key: string): string => (key.startsWith(prefix) ? key.slice(prefix.length) : "");
  const isSet = (key: string): boolean => SET.test(rest(key));
  const layout = `${prefix}layout`;
  return {
    record: (id) => prefix + id,
    set: (principal) => `${prefix}@${createHash("sha256").update(principal).digest("base64url")}.`,
    layout,
    idOf: (key) => (ID.test(rest(key)) ? rest(key) : undefined),
    isSet,
    kindOf(key) {
      if (key === layout) return "layout";
      if (isSet(key)) return "set";
      return ID.test(rest(key)) ? "record" : undefined;
    },
    pattern: `${prefix.replace(/[\\*?[\]^-]/g, "\\$&")}*`,
  };
}
