import { SessionTooLargeError } from "../base/errors.ts";
import { bytesOf } from "../record/field-names.ts";
import { LATER_FIELDS, type SessionRecord } from "../record/session-record.ts";
import type { Settings } from "./settings.ts";

/**
 * What an entry counts beside its name and text, because ten thousand tiny entries slow down an open like a large one.
 */
const ENTRY_BYTES = 100;
/** How many grown sessions a process remembers. Only requests that overlap need it. */
const MOST_SIZES = 4096;

/** The sizes of the sessions that this process made larger lately. */
export interface Sizes {
  /** Counts the reads and the commits of this process. */
  ticks: number;
  readonly known: Map<string, { readonly bytes: number; readonly at: number }>;
}

type SizeSettings = Pick<Settings, "maxBytes" | "guest" | "maxFields">;
type Fields = ReadonlyMap<string, string>;

/**
 * Checks the size that a commit gives a session against `maxBytes`, and its fields against the driver's limit.
 *
 * Requests that overlap know only the session that they read, so several small additions together may be too much. We
 * know what this process added since. Additions of other processes stay unseen only while commits merge without
 * comparing versions, which they may do while the session is below a sixteenth of the limit. So P processes store at
 * most limit * (1 + P/16), and a session that is far from the limit costs nothing. The number of fields is exact: where
 * the driver limits it, every commit that adds a field compares versions. Otherwise a logout could be too large.
 *
 * @param principal The user that the session will have. Without one it is a guest's.
 * @param record The record to write to; `undefined` for a new record, which may take over the fields of an old one.
 * @param sent The fields that the call names.
 * @returns Whether the commit must compare versions, and check the size again if another commit came between.
 * @throws SessionTooLargeError
 */
export function judgeSize(
  { settings, sizes }: { readonly settings: SizeSettings; readonly sizes: Sizes },
  principal: string | undefined,
  before: Fields | undefined,
  after: Fields,
  record?: SessionRecord,
  sent: ReadonlyMap<string, string | null> = after,
): boolean {
  const { maxFields } = settings;
  const { maxBytes } = principal === undefined ? settings.guest : settings;
  const addsFields = after.size > (before?.size ?? 0);
  // Keep room for setExpiry(), which is not judged, and for a later login.
  const room = LATER_FIELDS.filter((field) => !after.has(field)).length;
  const count = Math.max(sent.size, addsFields ? after.size + room : 0);
  if (count > maxFields)
    throw new SessionTooLargeError(
      `The session or commit would have ${count} fields, the core's own included; the driver takes ${maxFields}. Use fewer entries`,
    );
  const isCounted = addsFields && maxFields !== Number.POSITIVE_INFINITY;
  const blindBytes = maxBytes / 16;
  const size = bytesOf(after, ENTRY_BYTES);
  const growth = size - bytesOf(before ?? new Map(), ENTRY_BYTES);
  // Allow a commit that makes the session no larger. Otherwise an oversized session could never shrink.
  if (growth <= 0) return isCounted;
  if (size > maxBytes)
    throw new SessionTooLargeError(
      `The session would hold ${size} bytes of at most ${maxBytes}: keep large data elsewhere, or raise maxBytes`,
    );
  if (!record) return false;
  const { known } = sizes;
  const last = known.get(record.id);
  const total = last && last.at > record.readAt ? last.bytes + growth : size;
  // Note it before the commit is sent, so that commits that are checked meanwhile count it.
  known.delete(record.id);
  known.set(record.id, { bytes: total, at: ++sizes.ticks });
  for (const oldest of known.keys()) {
    if (known.size <= MOST_SIZES) break;
    known.delete(oldest);
  }
  return isCounted || total > blindBytes;
}
