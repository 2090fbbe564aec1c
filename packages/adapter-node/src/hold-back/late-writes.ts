import type { Session } from "@sessions/core";
import { whenPending } from "@sessions/core/adapter-tools";

/** Where middlewares write too late: a place that does so with every request is warned of once. */
const latePlaces = new Set<string>();
const MOST_PLACES = 100;

export const warn = (error: unknown): void =>
  process.emitWarning(error instanceof Error ? error : String(error));

/** Warns of a write that was dropped. */
export function warnOfLateWrite(error: Error): void {
  const { stack = "" } = error;
  if (latePlaces.has(stack) || latePlaces.size >= MOST_PLACES) return;
  latePlaces.add(stack);
  warn(error);
}

/** Commits by itself what is written to a session that no response waits for. */
export function commitAlone(session: Session): void {
  whenPending(session, () => {
    queueMicrotask(async () => {
      await session.commit().catch(warn);
      commitAlone(session);
    });
    return "sent";
  });
}
