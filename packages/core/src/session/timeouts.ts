import type { State } from "./state.ts";

/** The timeouts of a session: those of the manager, or shorter ones for a guest or of its login. Spans are in milliseconds. */
interface Timeouts {
  readonly idle: number;
  readonly touchEvery: number;
  /** The end of the absolute timeout, in epoch milliseconds. */
  readonly end: number;
}

export function timeoutsOf({ context, phase, login }: State): Timeouts {
  const { settings } = context;
  const most = phase.principal === undefined ? settings.guest : settings;
  const idle = Math.min(most.idle, login.idle);
  // With the manager's touchEvery, a session in use could exceed a short idle timeout.
  const touchEvery = idle < settings.idle ? Math.min(settings.touchEvery, idle / 10) : settings.touchEvery;
  return { idle, touchEvery, end: phase.createdAt + Math.min(settings.absolute, login.absolute) };
}

/** When the session expires if it is used now, in epoch milliseconds. */
export function expiryOf(state: State, fixedAt?: number): number {
  const { idle, end } = timeoutsOf(state);
  return Math.min(fixedAt ?? state.context.settings.clock() + idle, end);
}
