import type { Session } from "@sessions/core";
import { whenPending } from "@sessions/core/adapter-tools";

/** Stack traces of late writes, so that code that writes late at every request is warned about once. */
const latePlaces = new Set<string>();
const MOST_PLACES = 100;

export const warn = (error: unknown): void =>
  process.emitWarning(error instanceof Error ? error : String(error));

/** Warns about a write that was dropped. */
export function warnOfLateWrite(error: Error): void {
  const { stack = "" } = error;
  if (latePlaces.has(stack) || latePlaces.size >= MOST_PLACES) return;
  latePlaces.add(stack);
  warn(error);
}

/** Commits each write to a session that no response waits for. */
export function commitAlone(session: Session): void {
  whenPending(session, () => {
    queueMicrotask(async () => {
      await session.commit().catch(warn);
      commitAlone(session);
    });
    return "sent";
  });
}
