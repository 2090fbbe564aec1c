const warned = new Set<string>();
/** A place in the program may be a cause, and a program may have many. */
const MOST_CAUSES = 100;

/** Warns once in each process for each cause. */
export function warnOnce(cause: string, message: string, detail?: string): void {
  if (warned.has(cause) || warned.size >= MOST_CAUSES) return;
  warned.add(cause);
  process.emitWarning(message, { detail });
}
