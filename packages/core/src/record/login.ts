/** What one login asked for, as the record's field `/login` holds it. */
export interface Login {
  /** The field. A rotation repeats it, also one of a later version, whose meaning is unknown here. */
  readonly text: string | undefined;
  /** The last proof of who the user is, in epoch milliseconds; `undefined` for the record's creation. */
  readonly at: number | undefined;
  /** In milliseconds; `Infinity` leaves it to the manager. */
  readonly idle: number;
  /** In milliseconds; `Infinity` leaves it to the manager. */
  readonly absolute: number;
  /** Of the cookie, in milliseconds: 0 ends it with the browser, and `Infinity` leaves it to the manager. */
  readonly maxAge: number;
  /** Tells the logins of a user apart. Rotations repeat it. */
  readonly id: string | undefined;
  /** Percent-escaped. */
  readonly label: string | undefined;
}

/**
 * Reads the field: the version, the last proof, idle, absolute, the cookie's maxAge, a login id, and the label if there
 * is one. A text of another version, or a column that is no number, asks for nothing.
 */
export function parseLogin(text = ""): Login {
  const [, at, idle, absolute, maxAge, id, label] = text.startsWith("1 ") ? text.split(" ") : [];
  return {
    text: text || undefined,
    at: Number(at) || undefined,
    idle: Number(idle) || Number.POSITIVE_INFINITY,
    absolute: Number(absolute) || Number.POSITIVE_INFINITY,
    maxAge: maxAge === "session" ? 0 : Number(maxAge) || Number.POSITIVE_INFINITY,
    id: id === "-" ? undefined : id,
    label,
  };
}

/** The same login, with another last proof. */
export const provenAt = ({ text = "" }: Login, at: number): Login =>
  parseLogin(`1 ${at}${/^1 \S+(.*)/s.exec(text)?.[1] ?? ""}`);

export const NO_LOGIN: Login = parseLogin();
