/** Whose a session is, by its data. */
export type PrincipalOf = { of(data: Readonly<Record<string, unknown>>): unknown }["of"];

/** Where Passport keeps the user. */
export const passportUser: PrincipalOf = (data) => Reflect.get(Object(data["passport"]), "user");

const MOST_BYTES = 255;

/** Makes a principal of a text or a number; `undefined` of all else. */
export function principalText(given: unknown): string | undefined {
  const text = typeof given === "number" || typeof given === "bigint" ? String(given) : given;
  const fits =
    typeof text === "string" &&
    text !== "" &&
    text.isWellFormed() &&
    Buffer.byteLength(text) <= MOST_BYTES &&
    !/\p{Cc}/u.test(text);
  return fits ? text : undefined;
}

/** Returns a function that makes a principal of a session's data. */
export const createPrincipals =
  (principalOf: PrincipalOf): ((session: object) => string | undefined) =>
  (session) =>
    // Without a copy, which would read every key.
    principalText(principalOf(Object(session)));
