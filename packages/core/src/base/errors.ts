/** The stable codes of this library's errors. They are part of the public API; messages are not. */
export type SessionErrorCode =
  `ERR_SESSION_${"CONFIG" | "TOO_LARGE" | "CODEC" | "CONFLICT" | "SETUP" | "UNAVAILABLE" | "UNSUPPORTED" | "HEADERS_SENT"}`;

// Registered, so that two copies of this package (a driver's and the application's) know each other's errors.
const brand = Symbol.for("@sessions/core/error");

/** Base of every error that the library throws for something outside the program. Misuse is a `TypeError`. */
export class SessionError extends Error {
  /** What happened, for programs. */
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

/** An option is unknown, out of range, or contradicts another; the message names it. `ERR_SESSION_CONFIG` */
export class SessionConfigError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_CONFIG", message, options);
  }
}

/** The session would hold more than `maxBytes`, or than its backend can hold. `ERR_SESSION_TOO_LARGE` */
export class SessionTooLargeError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_TOO_LARGE", message, options);
  }
}

/** A stored entry cannot be decoded, or does not fit its schema; names the store and key. `ERR_SESSION_CODEC` */
export class SessionCodecError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_CODEC", message, options);
  }
}

/** An `update`, a login or a rotation lost too many races in a row. `ERR_SESSION_CONFLICT` */
export class SessionConflictError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_CONFLICT", message, options);
  }
}

/** The backend lacks a table, an index or a folder: run `setup()`. `ERR_SESSION_SETUP` */
export class SessionSetupError extends SessionError {
  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_SETUP", message, options);
  }
}

/**
 * The backend cannot be reached, or did not answer in time; the change may or may not have been made.
 * `retryable` is `true`. `ERR_SESSION_UNAVAILABLE`
 *
 * Frameworks that go by an error's `status`, `statusCode` and `headers` answer it with 503 and `Retry-After`
 * (RFC 9110, 10.2.3): the visitor is not logged out, and may try again.
 */
export class DriverUnavailableError extends SessionError {
  readonly status = 503;
  readonly statusCode = 503;
  /** In seconds. */
  readonly headers: Readonly<Record<string, string>> = { "Retry-After": "5" };

  constructor(message: string, options?: ErrorOptions) {
    super("ERR_SESSION_UNAVAILABLE", message, options);
  }
}

/** Whether this is an error of this library, with that code if one is given; works across copies of the package. */
export function isSessionError(error: unknown, code?: SessionErrorCode): error is SessionError {
  const own: object = Object(error);
  return brand in own && (code === undefined || Reflect.get(own, "code") === code);
}
