/** A backend that the tests can use. */
export interface Service {
  /** The URL for a driver's `fromUrl`. */
  readonly url: string;
  /** The server's name and version: `"Redis 7.0.15"`. */
  readonly version: string;
  /** Where the server came from: an address in the environment, a program on the PATH, a package. */
  readonly obtained: string;
  /** Whether this is an emulator, which may behave differently from the real server. */
  readonly emulator?: boolean | undefined;
}

/** A backend that is missing on this machine. */
export interface Missing {
  /** The reason, and what to do, in a sentence. */
  readonly missing: string;
}

export type ServiceName = "redis" | "mysql" | "postgres" | "mongodb" | "dynamodb";

/** A service that was found or started, and the function that ends it. */
export interface Started extends Service {
  stop(): Promise<void>;
}

/** The environment variable with the address of a running server: `SESSIONS_TEST_REDIS_URL`. */
export function addressVariable(name: ServiceName): string {
  return `SESSIONS_TEST_${name.toUpperCase()}_URL`;
}

/**
 * The environment variable with the required version: `SESSIONS_TEST_REDIS_VERSION="Redis 7"` takes 7.4.1 and refuses
 * 8.0. So a CI job for one version cannot pass on another version that happens to be on the machine.
 */
export function versionVariable(name: ServiceName): string {
  return `SESSIONS_TEST_${name.toUpperCase()}_VERSION`;
}
