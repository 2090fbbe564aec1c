import { SessionTooLargeError } from "../base/errors.ts";
import { bytesOf } from "../record/field-names.ts";
import type { SessionRecord } from "../record/session-record.ts";

/** What an entry counts beside its name and text: ten thousand tiny ones cost an open as much as one large. */
const ENTRY_BYTES = 100;
/** How many sessions a process remembers that it made larger. Only overlapping requests need it. */
const MOST_SIZES = 4096;

/** How large the sessions are that this process made larger lately. */
export interface Sizes {
  /** Counts the reads and the commits of this process. */
  ticks: number;
  readonly known: Map<string, { readonly bytes: number; readonly at: number }>;
}

type Fields = ReadonlyMap<string, string>;

/**
 * Counts what a commit makes of a session against `maxBytes`.
 *
 * Requests that overlap each know of the session that they read, so several small additions may come to too much. What
 * this process added since is known. Other processes add unseen only while a commit merges without comparing versions. A
 * commit may do so while the session stays within a sixteenth of the limit. So P processes store at most
 * limit * (1 + P/16), and a session that is far from the limit costs nothing.
 *
 * @param record What is written to; `undefined` for a record that begins, perhaps with what an old one held.
 * @returns Whether the commit must compare versions, and be judged again where another came between.
 * @throws SessionTooLargeError
 */
export function judgeSize(
  { settings, sizes }: { readonly settings: { readonly maxBytes: number }; readonly sizes: Sizes },
  before: Fields | undefined,
  after: Fields,
  record?: SessionRecord,
): boolean {
  const { maxBytes } = settings;
  const blindBytes = maxBytes / 16;
  const size = bytesOf(after, ENTRY_BYTES);
  const growth = size - (before ? bytesOf(before, ENTRY_BYTES) : 0);
  // What makes an oversized session no larger passes, or none could be mended.
  if (growth <= 0) return false;
  if (size > maxBytes)
    throw new SessionTooLargeError(
      `The session would hold ${size} bytes, counting ${ENTRY_BYTES} for each entry, and ${maxBytes} is the most: keep large data elsewhere, or raise maxBytes`,
    );
  if (!record) return false;
  const { known } = sizes;
  const last = known.get(record.id);
  const total = last && last.at > record.readAt ? last.bytes + growth : size;
  // Before the commit is sent: a commit that is judged meanwhile must count it.
  known.delete(record.id);
  known.set(record.id, { bytes: total, at: ++sizes.ticks });
  for (const oldest of known.keys()) {
    if (known.size <= MOST_SIZES) break;
    known.delete(oldest);
  }
  return total > blindBytes;
}
