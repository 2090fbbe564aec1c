import { checkOption } from "../../base/options.ts";

/** A table's name, in the forms that a driver needs. */
export interface SqlTable {
  /** The option itself, for messages: `"app.sessions"`. */
  readonly option: string;
  /** The name without the schema: `"sessions"`. */
  readonly name: string;
  /** The schema, if the option has one: `"app"`. */
  readonly schema: string | undefined;
  /** The quoted name for statements: `"app"."sessions"`. */
  readonly quoted: string;
}

/** The names of tables that a driver takes. */
export interface SqlTableRules {
  /** Matches the whole option: letters, digits and `_`, and a `.` after a schema. */
  readonly form: RegExp;
  /** The same in words, for the message. */
  readonly must: string;
  /** The character that the backend puts around a name. @default `"` */
  readonly quote?: '"' | "`" | undefined;
}

/** Every name must match this, whatever the driver's form is: other characters could end the quotes. */
const PLAIN = /^\w+(\.\w+)?$/;

/**
 * Reads the option `table` of a driver.
 *
 * @throws SessionConfigError that names the option, if the form does not match.
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
