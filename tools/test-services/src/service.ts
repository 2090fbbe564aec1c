/** A backend that the tests can use. */
export interface Service {
  /** For a driver's `fromUrl`. */
  readonly url: string;
  /** The server's own word: `"Redis 7.0.15"`. */
  readonly version: string;
  /** How it was had: an address in the environment, a program on the PATH, a package. */
  readonly obtained: string;
  /** Whether it only imitates the real server: no proof of what it leaves out. */
  readonly emulator?: boolean | undefined;
}

/** A backend that is not to be had here. */
export interface Missing {
  /** Why, and what to do, in a sentence. */
  readonly missing: string;
}

export type ServiceName = "redis" | "mysql" | "postgres" | "mongodb" | "dynamodb";

/** What a service's own file answers: where it is, and how it ends. */
export interface Started extends Service {
  stop(): Promise<void>;
}

/** The environment's variable that names a server to be used as it is: `SESSIONS_TEST_REDIS_URL`. */
export function addressVariable(name: ServiceName): string {
  return `SESSIONS_TEST_${name.toUpperCase()}_URL`;
}

/**
 * The variable that says which server it must be: `SESSIONS_TEST_REDIS_VERSION="Redis 7"` takes 7.4.1 and refuses 8.0.
 * A job of CI that is named after a version must not pass on another that happened to be on the machine.
 */
export function versionVariable(name: ServiceName): string {
  return `SESSIONS_TEST_${name.toUpperCase()}_VERSION`;
}
