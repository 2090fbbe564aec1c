import type { IncomingMessage } from "node:http";
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  createParamDecorator,
  type ExecutionContext,
  PayloadTooLargeException,
  ServiceUnavailableException,
} from "@nestjs/common";
import { BaseExceptionFilter } from "@nestjs/core";
import { isCrossSiteWrite } from "@sessions/adapter-node";
import { isSessionError, type Session, SessionError } from "@sessions/core";

/** The injection token of the session manager. */
export const SESSIONS: symbol = Symbol("sessions");

/** A handler's parameter: the visitor's session. Both adapters keep it in the same place. */
export const CurrentSession: () => ParameterDecorator = createParamDecorator(
  (_data: undefined, context: ExecutionContext): Session =>
    context.switchToHttp().getRequest<{ session: Session }>().session,
);

/** Refuses another site's form (403). SameSite does not stop it from logging the visitor in as somebody else. */
export class OwnFormsGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return !isCrossSiteWrite(context.switchToHttp().getRequest<IncomingMessage>());
  }
}

/** Down is not logged out: 503, and the cookie stays. All other errors are Nest's own 500. */
@Catch(SessionError)
export class SessionErrorFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    let answer = error;
    if (isSessionError(error, "ERR_SESSION_UNAVAILABLE"))
      answer = new ServiceUnavailableException(
        "Sessions cannot be reached. You are still signed in: try again.",
      );
    if (isSessionError(error, "ERR_SESSION_TOO_LARGE"))
      answer = new PayloadTooLargeException("Your session is full.");
    super.catch(answer, host);
  }
}
