import {
  SessionConfigError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "");

const THROTTLED = [
  "ThrottlingException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottledException",
  "Throttling",
];

/** Whether the service refused a request for its rate, before it wrote anything. */
export const isThrottled = (error: unknown): boolean => THROTTLED.includes(nameOf(error));

/** A session that is larger than an item may be. */
export const tooLarge = (cause?: unknown): SessionTooLargeError =>
  new SessionTooLargeError(
    "dynamodb: an item holds 400 KB at most; nothing was changed. Store less in the session.",
    cause === undefined ? undefined : { cause },
  );

/** The meaning of an error of the client; `undefined` where the service could not be reached, or refused. */
export function translate(error: unknown): SessionError | undefined {
  const name = nameOf(error);
  if (Object(error).code === "ERR_MODULE_NOT_FOUND")
    return new SessionConfigError(
      "dynamodb: the package @aws-sdk/client-dynamodb cannot be found. Install it.",
      { cause: error },
    );
  if (name === "ResourceNotFoundException")
    return new SessionSetupError(
      "dynamodb: the table is missing, or not ready. Call sessions.setup(), or driver.setup() where there is no manager.",
      { cause: error },
    );
  if (name !== "ValidationException" || !(error instanceof Error)) return undefined;
  if (/item size/i.test(error.message)) return tooLarge(error);
  return new SessionSetupError(
    "dynamodb: the table does not fit the request. Call check(), which names what is wrong with it.",
    { cause: error },
  );
}
