import { type Duration, milliseconds } from "../base/duration.ts";
import type { Emitter } from "../context/events.ts";

/** Which expired records `sweep()` removes. */
export interface SweepOptions {
  /** Only records that expired at this time or later. @default no limit */
  after?: Date | undefined;
  /**
   * Only records that expired before this time.
   * @default 5 minutes ago, because clocks differ and late requests still ask how a session ended
   */
  before?: Date | undefined;
  /** The most records to remove, 1 or more. @default no limit */
  limit?: number | undefined;
  /** Allows a `before` in the future, which removes live sessions. @default false */
  force?: boolean | undefined;
}

/** The longest delay of a timer. */
const MOST_MS = 2 ** 31 - 1;

/**
 * Sweeps from time to time. Returns a function that stops it and waits for a running sweep. Failures go to `error`
 * listeners.
 */
export function startSweeping(
  every: Duration,
  sweep: () => Promise<number>,
  emit: Emitter["emit"],
): () => Promise<unknown> {
  const ms = milliseconds("startSweeping: every", every);
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let stopped = false;

  function schedule(): void {
    if (stopped) return;
    // Jitter, so that many processes started at once do not sweep at once.
    timer = setTimeout(run, Math.min(ms * (0.75 + Math.random() / 2), MOST_MS));
    timer.unref();
  }

  function run(): void {
    running = sweep()
      .catch((error: unknown) => emit("error", { error, during: "sweep" }))
      .finally(schedule);
  }

  schedule();
  return () => {
    stopped = true;
    clearTimeout(timer);
    return running;
  };
}
