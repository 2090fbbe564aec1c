import { type Duration, milliseconds } from "../base/duration.ts";
import { checkOptions, epochOf, isWhole } from "../base/options.ts";
import type { Context } from "../context/context.ts";

/** Which expired records to remove. */
export interface SweepOptions {
  /** Those that expired at this instant or later. @default all */
  after?: Date | undefined;
  /** Those that expired before it. @default 5 minutes ago, for clocks differ and late requests ask how a session ended */
  before?: Date | undefined;
  /** The most to remove. @default no limit */
  limit?: number | undefined;
  /** Allows a `before` in the future, which removes live sessions. @default false */
  force?: boolean | undefined;
}

const MARGIN_MS = 5 * 60_000;
const BATCH = 1000;
/** What a timer can wait for. */
const MOST_MS = 2 ** 31 - 1;

export async function sweep({ settings, emit }: Context, options: SweepOptions = {}): Promise<number> {
  checkOptions("sessions.sweep", options, ["after", "before", "limit", "force"]);
  const { limit = Number.POSITIVE_INFINITY, force = false } = options;
  const now = settings.clock();
  const after = options.after ? epochOf(options.after) : 0;
  const before = options.before ? epochOf(options.before) : now - MARGIN_MS;
  if (limit !== Number.POSITIVE_INFINITY && !isWhole(limit, 1))
    throw new TypeError("sweep(): limit must be a whole number of 1 or more");
  if (before > now && !force)
    throw new TypeError(
      "sweep(): before lies in the future and would remove live sessions; force: true allows it",
    );

  let count = 0;
  while (count < limit) {
    const removed = await settings.driver.sweep({ after, before, limit: Math.min(BATCH, limit - count) });
    if (removed === 0) break;
    count += removed;
  }
  emit("swept", { count });
  return count;
}

/** Sweeps from time to time; answers what stops it, and waits for a sweep that runs. Failures go to `error` listeners. */
export function startSweeping(context: Context, every: Duration): () => Promise<void> {
  const ms = milliseconds("startSweeping: every", every);
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let stopped = false;

  function schedule(): void {
    if (stopped) return;
    // Jitter, so that many processes started at once do not sweep at once.
    timer = setTimeout(run, Math.min(ms * (0.75 + Math.random() / 2), MOST_MS));
    timer.unref();
  }

  function run(): void {
    running = sweep(context)
      .then(
        () => {},
        (error: unknown) => context.emit("error", { error, during: "sweep" }),
      )
      .finally(schedule);
  }

  schedule();
  return () => {
    stopped = true;
    clearTimeout(timer);
    return running;
  };
}
