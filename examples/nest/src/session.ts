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

/** What the session manager is injected by. */
export const SESSIONS: symbol = Symbol("sessions");

/** A handler's parameter: the visitor's session, which both adapters keep in the same place. */
export const CurrentSession: () => ParameterDecorator = createParamDecorator(
  (_data: undefined, context: ExecutionContext): Session =>
    context.switchToHttp().getRequest<{ session: Session }>().session,
);

/** SameSite does not keep another site's form from logging the visitor in, as somebody else: 403. */
export class OwnFormsGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return !isCrossSiteWrite(context.switchToHttp().getRequest<IncomingMessage>());
  }
}

/** Down is not logged out: 503, and the cookie stays. What is not named here is Nest's own 500. */
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
