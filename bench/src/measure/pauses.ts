import { performance } from "node:perf_hooks";

/** Watches the event loop. The returned function ends that, and returns the longest pause in milliseconds. */
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
    // The watched work may never have yielded to the event loop.
    return Math.max(longest, performance.now() - last);
  };
}
