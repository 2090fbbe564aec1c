import { DriverUnavailableError } from "@sessions/core";

/** The code that begins a server's error reply, such as `NOAUTH` or `ERR`; `undefined` for any other error. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? /^[A-Z]+(?= )/.exec(error.message)?.[0] : undefined;
}

/** Whether the server replied with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = codeOf(error);
  return code !== undefined && codes.includes(code);
}

/** How clients and servers refuse a command on a connection that has subscribed. */
const SUBSCRIBED = /subscriber mode|only \(P\|S\)SUBSCRIBE/;

/** The meaning of an error of the client; `undefined` where the server did not reply. */
export function translate(error: unknown): DriverUnavailableError | undefined {
  if (error instanceof Error && SUBSCRIBED.test(error.message))
    return new DriverUnavailableError(
      "redis: the client has subscribed, and sends no other commands. Subscribe with another client.",
      { cause: error },
    );
  const code = codeOf(error);
  if (code === undefined) return undefined;
  return new DriverUnavailableError(`redis: the server refuses with ${code}. The cause says more.`, {
    cause: error,
  });
}

/**
 * Returns a reply, unless the application has a transaction open on the client's connection: there the server keeps each
 * command for later, and replies the same to all.
 */
export function refuseQueued(reply: unknown): unknown {
  if (reply === "QUEUED")
    throw new DriverUnavailableError(
      "redis: the application has a MULTI open on the client's connection, so that the command may still be executed, by EXEC. Give sessions a client of their own.",
    );
  return reply;
}
