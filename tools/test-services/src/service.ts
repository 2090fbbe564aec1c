/** A backend that the tests can use. */
export interface Service {
  /** The URL for a driver's `fromUrl`. */
  readonly url: string;
  /** The version that the server reports: `"Redis 7.0.15"`. */
  readonly version: string;
  /** Where it comes from: an address in the environment, a program on the PATH, a package. */
  readonly obtained: string;
  /** Whether it only imitates the real server. It proves nothing about behaviour that it lacks. */
  readonly emulator?: boolean | undefined;
}

/** A backend that is missing on this machine. */
export interface Missing {
  /** The reason, and what to do, in a sentence. */
  readonly missing: string;
}

export type ServiceName = "redis" | "mysql" | "postgres" | "mongodb" | "dynamodb" | "memcached" | "etcd";

/** The result of a service's own file: where the service is, and how to stop it. */
export interface Started extends Service {
  stop(): Promise<void>;
}

/** The environment variable that names an existing server to use: `SESSIONS_TEST_REDIS_URL`. */
export function addressVariable(name: ServiceName): string {
  return `SESSIONS_TEST_${name.toUpperCase()}_URL`;
}

/**
 * The variable that requires a version: `SESSIONS_TEST_REDIS_VERSION="Redis 7"` accepts 7.4.1 and refuses 8.0. A CI job
 * that is named after a version must not pass on another version that happens to be on the machine.
 */
export function versionVariable(name: ServiceName): string {
  return `SESSIONS_TEST_${name.toUpperCase()}_VERSION`;
}
