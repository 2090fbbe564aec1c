let waiting: (() => void)[] = [];

/** Waits until three handlers wait here, so that the requests of all of them overlap. */
export function meet(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length < 3) return;
    for (const go of waiting) go();
    waiting = [];
  });
}
