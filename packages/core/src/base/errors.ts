/** The stable codes of this library's errors. They are part of the public API; messages are not. */
export type SessionErrorCode =
  `ERR_SESSION_${"CONFIG" | "TOO_LARGE" | "CODEC" | "CONFLICT" | "SETUP" | "UNAVAILABLE" | "UNSUPPORTED" | "HEADERS_SENT" | "LIMIT"}`;

// Symbol.for, so that two copies of this package (a driver's and the application's) recognise each other's errors.
const brand = Symbol.for("@sessions/core/error");

/**
 * The base of every error that the library throws for a cause outside the program. Misuse throws a `TypeError`.
 * Check with {@link isSessionError}, not with `instanceof`.
 */
export class SessionError extends Error {
  /** What happened. Programs check this code, not the message. */
  readonly code: SessionErrorCode;
  /** Whether the same call may succeed later: `true` for `DriverUnavailableError` alone. */
  readonly retryable: boolean;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = code === "ERR_SESSION_UNAVAILABLE";
    this.name = new.target.name;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** An option is unknown, out of range, or contradicts another. The message names the option. `ERR_SESSION_CONFIG` */
export class SessionConfigError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_CONFIG", message, options);
  }
}

/** The session would hold more than `maxBytes`, or more bytes or fields than its backend can. `ERR_SESSION_TOO_LARGE` */
export class SessionTooLargeError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_TOO_LARGE", message, options);
  }
}

/**
 * A stored entry cannot be decoded, or does not fit its schema. The message names store and key. `ERR_SESSION_CODEC`
 */
export class SessionCodecError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_CODEC", message, options);
  }
}

/** An `update()`, a login or a `rotate()` lost too many races against other requests. `ERR_SESSION_CONFLICT` */
export class SessionConflictError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_CONFLICT", message, options);
  }
}

/**
 * The user has as many sessions as `maxPerPrincipal` allows, and a login with `whenFull: "refuse"` needs one more. The
 * session is as it was before the login. `ERR_SESSION_LIMIT`
 */
export class SessionLimitError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_LIMIT", message, options);
  }
}

/** The backend lacks a table, an index or a folder. Run `sessions.setup()`. `ERR_SESSION_SETUP` */
export class SessionSetupError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_SETUP", message, options);
  }
}

/**
 * The backend cannot be reached, or did not reply in time. The change may or may not have been made.
 * `retryable` is `true`. `ERR_SESSION_UNAVAILABLE`
 *
 * Frameworks that use an error's `status`, `statusCode` and `headers` respond with 503 and `Retry-After`
 * (RFC 9110, section 10.2.3). The visitor stays logged in and may try again.
 */
export class DriverUnavailableError extends SessionError {
  /** The HTTP status for the response, as Koa and Express read it. */
  readonly status = 503;
  /** The same, as Fastify reads it. */
  readonly statusCode = 503;
  /** Headers for the response. `Retry-After` is in seconds. */
  readonly headers: Readonly<Record<string, string>> = { "Retry-After": "5" };

  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_UNAVAILABLE", message, options);
  }
}

/**
 * Returns whether a value is an error of this library and, if `code` is given, has that code. Works across copies of
 * the package, unlike `instanceof`.
 *
 * @example
 * const sessions = createSessionManager();
 * try {
 *   await sessions.destroyAll({ principal: "anna" });
 * } catch (error) {
 *   if (!isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
 *   console.warn("The backend is down. Try again later.");
 * }
 */
export function isSessionError(error: unknown, code?: SessionErrorCode): error is SessionError {
  const own: object = Object(error);
  return brand in own && (code === undefined || Reflect.get(own, "code") === code);
}
