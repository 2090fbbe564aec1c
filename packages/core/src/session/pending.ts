import type { SessionRecord } from "../record/session-record.ts";
import type { State } from "./state.ts";
import { timeoutsOf } from "./timeouts.ts";

/** Writing data also moves the expiry, but at most this often, because moving it needs a compare-and-set. */
const EXPIRY_GRAIN_MS = 1000;

/** The new expiry after this use of the session; `undefined` if it stays. */
export function touched(
  state: State,
  record: SessionRecord,
  now: number,
  hasData: boolean,
): number | undefined {
  if (!state.opened.touch || record.fixed || state.expiry !== undefined) return undefined;
  const { idle, end, touchEvery } = timeoutsOf(state);
  const target = Math.min(now + idle, end);
  // The last move, to the absolute timeout itself, may be a small one.
  const least = target === end ? 1 : hasData ? Math.min(EXPIRY_GRAIN_MS, touchEvery) : touchEvery;
  return target - record.expiresAt >= Math.max(least, 1) ? target : undefined;
}

/** Whether the headers have gone out. */
export const isSent = ({ response: { stage } }: State): boolean => stage === "sent" || stage === "over";

/** Returns whether a commit may have something to write or to send. */
export function isPending(state: State): boolean {
  const { phase, record, response, opened, context } = state;
  // There is no response left that could carry a cookie or wait for a commit.
  if (isSent(state)) return false;
  if (
    response.cookieToSend ||
    phase.kind === "replacing" ||
    state.expiry !== undefined ||
    state.decoded.size > 0 ||
    state.hasNew
  )
    return true;
  if (!record || opened.by === "id") return false;
  // Finding out whether a new generation is due would cost more than waiting for the commit.
  const mayRotate = context.settings.rotation !== undefined && record.principal !== undefined;
  return mayRotate || touched(state, record, context.settings.clock(), false) !== undefined;
}
