import { checkOption } from "../../base/options.ts";

/** A table's name, in the forms that a driver needs. */
export interface SqlTable {
  /** The text of the option, for messages: `"app.sessions"`. */
  readonly option: string;
  /** The name without the schema: `"sessions"`. */
  readonly name: string;
  /** The schema, if the option names one: `"app"`. */
  readonly schema: string | undefined;
  /** The quoted name for statements: `"app"."sessions"`. */
  readonly quoted: string;
}

/** The names that a driver takes. */
export interface SqlTableRules {
  /** Matches the whole option: letters, digits and `_`, with one `.` after a schema. */
  readonly form: RegExp;
  /** The same rule in words, for the message. */
  readonly must: string;
  /** The quote that the backend puts around a name. @default `"` */
  readonly quote?: '"' | "`" | undefined;
}

/** Refuses, for every `form`, a name that could end its own quotes. */
const PLAIN = /^\w+(\.\w+)?$/;

/**
 * Reads the option `table` of a driver.
 *
 * @throws SessionConfigError The option is not such a name.
 * @example
 * const { quoted } = readTable("sessions", {
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
