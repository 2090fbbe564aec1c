import type { Kind } from "./kind.ts";

/** The names of a new package, its folder and functions. */
export interface Names {
  /** The package's name on npm: `@me/driver-level-db`. */
  readonly package: string;
  /** The new folder: `driver-level-db`. */
  readonly folder: string;
  /** The backend or the framework, in small letters: `level-db`. */
  readonly subject: string;
  /** The same as it was spelt, for texts: `Level-DB`. */
  readonly title: string;
  /** Where on GitHub the package most likely is: the scope, or a word to replace. */
  readonly owner: string;
  /** `levelDb` */
  readonly camel: string;
  /** `LevelDb` */
  readonly pascal: string;
}

/** The rule for names, for messages. */
export const nameRule = ({ kind, subject, examples: [small, capitals] }: Kind): string =>
  `a ${subject} such as ${small} or ${capitals}, or a package such as @me/${kind}-${small}: at most 64 of a-z, 0-9 and single hyphens between them, the ${subject} beginning with a letter; capitals stay in texts alone`;

// Stricter than npm, because the name also becomes a folder and a part of functions' names. npm allows no capitals in a
// package's name, and functions are called as in the packages of this project: LibSQL makes libsqlDriver.
const SCOPE = "(?:@(?<scope>[a-z0-9]+(?:-[a-z0-9]+)*)/)?";
const SUBJECT = "(?<subject>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)";
const LONGEST = 64;

/** Returns the names that follow from the given one, or `undefined` if it breaks the rule. */
export function namesOf({ kind }: Kind, asked: string): Names | undefined {
  const form = new RegExp(`^${SCOPE}(?<prefix>(?:sessions-)?${kind}-)?${SUBJECT}$`, "i");
  const { subject: title } = form.exec(asked)?.groups ?? {};
  if (title === undefined || asked.length > LONGEST) return undefined;
  const { scope, prefix, subject = "" } = form.exec(asked.toLowerCase())?.groups ?? {};
  const pascal = subject
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
  // The subject's name alone is taken as a package, most likely by the subject itself.
  const folder =
    scope === undefined && prefix === undefined ? `sessions-${kind}-${subject}` : `${prefix ?? ""}${subject}`;
  return {
    package: scope === undefined ? folder : `@${scope}/${folder}`,
    folder,
    subject,
    title,
    owner: scope ?? "OWNER",
    camel: pascal.charAt(0).toLowerCase() + pascal.slice(1),
    pascal,
  };
}
