/** The names of a driver's package, folder and functions. */
export interface Names {
  /** The package's name on npm: `@me/driver-level-db`. */
  readonly package: string;
  /** The new folder: `driver-level-db`. */
  readonly folder: string;
  /** The backend, which is also the driver's `name`: `level-db`. */
  readonly backend: string;
  /** `levelDb` */
  readonly camel: string;
  /** `LevelDb` */
  readonly pascal: string;
}

/** The rule for names, for messages. */
export const NAME_RULE =
  "a backend such as leveldb, or a package such as @me/driver-leveldb: at most 64 of a-z, 0-9 and single hyphens between them, the backend beginning with a letter";

// Stricter than npm, because the name also becomes a folder and a part of functions' names.
const NAME =
  /^(?:@(?<scope>[a-z0-9]+(?:-[a-z0-9]+)*)\/)?(?<kind>(?:sessions-)?driver-)?(?<backend>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;
const LONGEST = 64;

/** Returns the names that follow from the given one, or `undefined` if it breaks `NAME_RULE`. */
export function namesOf(asked: string): Names | undefined {
  const { scope, kind, backend } = NAME.exec(asked)?.groups ?? {};
  if (backend === undefined || asked.length > LONGEST) return undefined;
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
    camel: pascal.charAt(0).toLowerCase() + pascal.slice(1),
    pascal,
  };
}
