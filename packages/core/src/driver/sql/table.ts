import { checkOption } from "../../base/options.ts";

/** A table's name, as a driver needs it. */
export interface SqlTable {
  /** As the option says it, for messages: `"app.sessions"`. */
  readonly option: string;
  /** `"sessions"` */
  readonly name: string;
  /** `"app"`, where the option names a schema. */
  readonly schema: string | undefined;
  /** For statements: `"app"."sessions"`. */
  readonly quoted: string;
}

/** Which names a driver takes. */
export interface SqlTableRules {
  /** The whole option, of letters, digits and `_`, and of a `.` behind a schema. */
  readonly form: RegExp;
  /** The same in words, for the message. */
  readonly must: string;
  /** What the backend puts around a name. @default `"` */
  readonly quote?: '"' | "`" | undefined;
}

/** What no form may let through: it could end its own quotes. */
const PLAIN = /^\w+(\.\w+)?$/;

/**
 * Reads the option `table` of a driver.
 *
 * @throws SessionConfigError naming the option where it is no such name.
 * @example
 * const { quoted } = readTable(options.table ?? "sessions", {
 *   form: /^\w{1,64}$/,
 *   must: "a name of 1 to 64 of A-Z a-z 0-9 _",
 * });
 */
export function readTable(option: string, { form, must, quote = '"' }: SqlTableRules): SqlTable {
  checkOption(typeof option === "string" && form.test(option) && PLAIN.test(option), "table", must, option);
  const parts = option.split(".");
  return {
    option,
    name: parts.at(-1) ?? option,
    schema: parts.length > 1 ? parts[0] : undefined,
    quoted: parts.map((part) => `${quote}${part}${quote}`).join("."),
  };
}
