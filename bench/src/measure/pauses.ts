import { performance } from "node:perf_hooks";

/** Watches the event loop from now on; the answer ends it, and says how many milliseconds it stood still at most. */
export function watchPauses(): () => number {
  let longest = 0;
  let last = performance.now();
  let next = setImmediate(look);
  function look(): void {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(look);
  }
  return () => {
    clearImmediate(next);
    // What was watched may never have let the loop turn.
    return Math.max(longest, performance.now() - last);
  };
}
