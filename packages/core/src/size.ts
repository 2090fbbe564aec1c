import { Buffer } from "node:buffer";
import { SessionTooLargeError } from "./errors.ts";
import { bytesOf } from "./fields.ts";
import type { SessionRecord } from "./record.ts";
import type { Settings } from "./settings.ts";
import type { Context } from "./state.ts";

/** What an entry counts beside its name and text: ten thousand tiny ones cost an open as much as one large. */
const ENTRY_BYTES = 100;
/** The most bytes of UTF-8 that a unit of UTF-16 takes. */
const MOST_BYTES = 3;
/** How many sessions a process remembers that it made larger. Only overlapping requests need it. */
const MOST_SIZES = 4096;

/** How large the sessions are that this process made larger lately. */
export interface Sizes {
  /** Counts the reads and the commits of this process. */
  ticks: number;
  readonly known: Map<string, { readonly bytes: number; readonly at: number }>;
}

export const createSizes = (): Sizes => ({ ticks: 0, known: new Map() });

const entryBytes = (name: string, text: string | null | undefined): number =>
  typeof text === "string" ? name.length + Buffer.byteLength(text) + ENTRY_BYTES : 0;

/** What a session counts against `maxBytes`. Far below `exactFrom` a higher estimate will do, for it costs less. */
function countedBytes(fields: ReadonlyMap<string, string>, exactFrom: number): number {
  let units = 0;
  for (const [name, text] of fields) units += name.length + text.length;
  const entries = fields.size * ENTRY_BYTES;
  const most = units * MOST_BYTES + entries;
  return most <= exactFrom ? most : bytesOf(fields) + entries;
}

function refuse(size: number, maxBytes: number): never {
  throw new SessionTooLargeError(
    `The session would hold ${size} bytes, with ${ENTRY_BYTES} for each entry, and ${maxBytes} is the most: keep large data elsewhere, or raise maxBytes`,
  );
}

/** For a record that begins, perhaps with what an old one held. @throws SessionTooLargeError where it grows too large. */
export function refuseTooLarge(
  { maxBytes, blindBytes }: Settings,
  fields: ReadonlyMap<string, string>,
  old: ReadonlyMap<string, string> | undefined,
): void {
  const size = countedBytes(fields, blindBytes);
  // What makes an oversized session no larger passes, or none could be mended.
  if (size > maxBytes && size > (old ? countedBytes(old, 0) : 0)) refuse(size, maxBytes);
}

/**
 * Counts what a commit makes of a record against `maxBytes`.
 *
 * Requests that overlap each know of the session that they read, so several small additions may come to too much. What
 * this process added since is known. Other processes add unseen only while a commit merges without comparing versions. A
 * commit may do so while the session stays within a sixteenth of the limit. So P processes store at most
 * limit * (1 + P/16), and a session that is far from the limit costs nothing.
 *
 * @returns Whether the commit must compare versions, and be judged again where another came between.
 * @throws SessionTooLargeError
 */
export function judgeGrowth(
  { settings, sizes }: Context,
  record: SessionRecord,
  fields: ReadonlyMap<string, string>,
  patch: ReadonlyMap<string, string | null>,
): boolean {
  const { maxBytes, blindBytes } = settings;
  let growth = 0;
  for (const [name, text] of patch)
    growth += entryBytes(name, text) - entryBytes(name, record.fields.get(name));
  if (growth <= 0) return false;
  const size = countedBytes(fields, blindBytes);
  if (size > maxBytes) refuse(size, maxBytes);
  const last = sizes.known.get(record.id);
  const total = last && last.at > record.readAt ? last.bytes + growth : size;
  // Before the commit is sent: a commit that is judged meanwhile must count it.
  sizes.known.delete(record.id);
  sizes.known.set(record.id, { bytes: total, at: ++sizes.ticks });
  const [oldest] = sizes.known.keys();
  if (sizes.known.size > MOST_SIZES && oldest !== undefined) sizes.known.delete(oldest);
  return total > blindBytes;
}
