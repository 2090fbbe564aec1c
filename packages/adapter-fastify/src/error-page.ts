import { STATUS_CODES } from "node:http";
import { isSessionError } from "@sessions/core";
import type { FastifyReply, FastifyRequest, RouteOptions } from "fastify";

/**
 * Fastify's default error page shows an error's message to the visitor. Messages of this library name tables, folders
 * and options, for operators. This page shows none of them; the log has the whole error.
 */
function sendPage(reply: FastifyReply, error: Error): void {
  const status = "status" in error && typeof error.status === "number" ? error.status : 500;
  const { log } = reply;
  log.error({ req: reply.request, res: reply, err: error }, error.message);
  if ("headers" in error && Object(error.headers) === error.headers) reply.headers(Object(error.headers));
  const name = STATUS_CODES[status];
  reply.code(status).send({
    statusCode: status,
    code: "code" in error ? error.code : undefined,
    error: name,
    message: name,
  });
}

/** Whether the application has set no error handler here. */
const isDefault = ({ server }: FastifyReply): boolean => server.errorHandler.name === "defaultErrorHandler";

/** Lets the application's error handler reply, or sends a page that shows no message of this library. */
export function sendError(reply: FastifyReply, error: unknown): void {
  if (isSessionError(error) && isDefault(reply)) sendPage(reply, error);
  else reply.send(error instanceof Error ? error : new Error(String(error)));
}

/** A hook for `onRoute`: does the same for errors that a handler throws, unless the route has its own error handler. */
export function hideMessages(route: RouteOptions): void {
  route.errorHandler ??= (error: unknown, _request: FastifyRequest, reply: FastifyReply) =>
    sendError(reply, error);
}
