/** What a driver's package, folder and functions are called. */
export interface Names {
  /** As npm knows it: `@me/driver-level-db`. */
  readonly package: string;
  /** The new folder: `driver-level-db`. */
  readonly folder: string;
  /** What it keeps sessions in, the driver's own `name`: `level-db`. */
  readonly backend: string;
  /** `levelDb` */
  readonly camel: string;
  /** `LevelDb` */
  readonly pascal: string;
}

/** What a name must be, for messages. */
export const NAME_RULE =
  "a backend such as leveldb, or a package such as @me/driver-leveldb: at most 64 of a-z, 0-9 and single hyphens between them, the backend beginning with a letter";

// Narrower than npm's own rules: the name becomes a package, a folder, and part of functions' names.
const NAME =
  /^(?:@(?<scope>[a-z0-9]+(?:-[a-z0-9]+)*)\/)?(?<kind>(?:sessions-)?driver-)?(?<backend>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;
const LONGEST = 64;

/** The names that follow from the one that was asked for; `undefined` where it is not as `NAME_RULE` says. */
export function namesOf(asked: string): Names | undefined {
  const { scope, kind, backend } = NAME.exec(asked)?.groups ?? {};
  if (backend === undefined || asked.length > LONGEST) return undefined;
  const pascal = backend
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
  // A backend alone is no name for a package: somebody has it already, and it is most likely the client.
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
