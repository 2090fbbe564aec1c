import { performance } from "node:perf_hooks";
import type { Driver } from "@sessions/core";
import { expect } from "vitest";

/** The measurements of a sweep beside commits. */
export interface SweepFigures {
  readonly removed: number;
  readonly batches: number;
  /** Commits that were acknowledged during the sweep. */
  readonly commits: number;
  /** In milliseconds, measured by the caller; so is `longestCommit`. */
  readonly longestBatch: number;
  readonly longestCommit: number;
}

export interface SweepOptions {
  /** The driver that sweeps. */
  sweeper: Driver;
  /** Another driver on the same records. It commits during the sweep. */
  writer: Driver;
  /** Live records to commit to. */
  live: readonly string[];
  /** How many records have expired. */
  expired: number;
  /** The most records that one call removes. */
  batch: number;
}

/**
 * Sweeps until nothing is left, as the manager does, while commits to live records go on. Checks that every expired
 * record is gone and that no commit was lost, and returns its measurements.
 */
export async function sweepBesideCommits(options: SweepOptions): Promise<SweepFigures> {
  const { sweeper, writer, live, expired, batch } = options;
  const now = Date.now();
  const counts = new Map<string, number>();
  let sweeping = true;
  let commits = 0;
  let longestCommit = 0;
  const commitOn = async (own: readonly string[]) => {
    for (let i = 0; sweeping; i++) {
      const id = own[i % own.length] ?? "";
      const begun = performance.now();
      const count = (counts.get(id) ?? 0) + 1;
      expect(await writer.commit(id, { fields: new Map([["a/count", String(count)]]) }, now)).toBe(
        "committed",
      );
      longestCommit = Math.max(longestCommit, performance.now() - begun);
      counts.set(id, count);
      commits++;
      // A driver in this process may resolve without ever yielding to the event loop, and the sweep would wait.
      await new Promise(setImmediate);
    }
  };
  const writers = [0, 1, 2, 3].map((n) => commitOn(live.filter((_, i) => i % 4 === n)));

  let removed = 0;
  let batches = 0;
  let longestBatch = 0;
  try {
    for (;;) {
      const begun = performance.now();
      const count = await sweeper.sweep({ after: 0, before: now, limit: batch });
      longestBatch = Math.max(longestBatch, performance.now() - begun);
      if (count === 0) break;
      expect(count).toBeLessThanOrEqual(batch);
      removed += count;
      batches++;
    }
  } finally {
    sweeping = false;
    await Promise.all(writers);
  }

  expect(removed).toBe(expired);
  expect(commits).toBeGreaterThan(0);
  for (const [id, count] of counts)
    expect((await writer.load(id))?.fields.get("a/count")).toBe(String(count));
  return { removed, batches, commits, longestBatch, longestCommit };
}
