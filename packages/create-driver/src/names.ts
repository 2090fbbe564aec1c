/** The names of a driver's package, folder and functions. */
export interface Names {
  /** The package's name on npm: `@me/driver-level-db`. */
  readonly package: string;
  /** The new folder: `driver-level-db`. */
  readonly folder: string;
  /** The driver's `name`: `level-db`. */
  readonly backend: string;
  /** The backend as it was spelt, for texts: `Level-DB`. */
  readonly title: string;
  /** Where on GitHub the package most likely is: the scope, or a word to replace. */
  readonly owner: string;
  /** `levelDb` */
  readonly camel: string;
  /** `LevelDb` */
  readonly pascal: string;
}

/** The rule for names, for messages. */
export const NAME_RULE =
  "a backend such as leveldb or LibSQL, or a package such as @me/driver-leveldb: at most 64 of a-z, 0-9 and single hyphens between them, the backend beginning with a letter; capitals stay in texts alone";

// Stricter than npm, because the name also becomes a folder and a part of functions' names. npm allows no capitals in a
// package's name, and functions are called as in the drivers of this project: LibSQL makes libsqlDriver.
const NAME =
  /^(?:@(?<scope>[a-z0-9]+(?:-[a-z0-9]+)*)\/)?(?<kind>(?:sessions-)?driver-)?(?<backend>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/i;
const LONGEST = 64;

/** Returns the names that follow from the given one, or `undefined` if it breaks `NAME_RULE`. */
export function namesOf(asked: string): Names | undefined {
  const { backend: title } = NAME.exec(asked)?.groups ?? {};
  if (title === undefined || asked.length > LONGEST) return undefined;
  const { scope, kind, backend = "" } = NAME.exec(asked.toLowerCase())?.groups ?? {};
  const pascal = backend
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
  // The backend's name alone is taken as a package, most likely by the client.
  const folder =
    scope === undefined && kind === undefined ? `sessions-driver-${backend}` : `${kind ?? ""}${backend}`;
  return {
    package: scope === undefined ? folder : `@${scope}/${folder}`,
    folder,
    backend,
    title,
    owner: scope ?? "OWNER",
    camel: pascal.charAt(0).toLowerCase() + pascal.slice(1),
    pascal,
  };
}
