import { cut, plain } from "./plain.ts";
import type { Io } from "./run-command.ts";

const CLEAR = "\r\u001b[2K";

interface Result {
  readonly rule: string;
  readonly title: string;
  readonly status: string;
}

/** One line that says how far a run is, where a line can be overwritten. */
export function progress({ live, err, width }: Io): {
  readonly onResult: (result: Result, done: number, total: number) => void;
  /** Removes the line. */
  readonly clear: () => void;
} {
  return {
    onResult({ rule, title, status }, done, total) {
      if (!live) return;
      const line = `${done}/${total} ${rule} ${status === "failed" ? "failed: " : ""}${title}`;
      err(CLEAR + cut(plain(line), width - 1));
    },
    clear() {
      if (live) err(CLEAR);
    },
  };
}
