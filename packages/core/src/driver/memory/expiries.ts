/** What the index needs of a record: its expiry, and its neighbours in the same minute. */
export interface Expiring<T> {
  expiresAt: number;
  previous: T | undefined;
  next: T | undefined;
}

/** An index of the records in memory by the minute in which they expire. */
export interface Expiries<T> {
  add(record: T): void;
  remove(record: T): void;
  /** Changes the expiry of a record that is in the index. */
  move(record: T, expiresAt: number): void;
  /**
   * The records of every minute that overlaps the range. Records may be added, moved and removed between two steps. A
   * record that stays in its minute comes once, a removed record never, and an added record may be left out.
   */
  between(after: number, before: number): Generator<T, undefined>;
}

/** The records that expire in one minute, in the order in which they came. */
interface Minute<T> {
  first?: T | undefined;
  last?: T | undefined;
  size: number;
}

const MINUTE_MS = 60_000;

export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS);

/**
 * An index by expiry. It costs two references for each record, and nothing for a use that stays within the minute. A
 * minute is a linked list, because an array or a Set of a million would be copied as a whole when it grows. The number
 * of minutes depends on how long sessions live, not on how many there are.
 */
export function createExpiries<T extends Expiring<T>>(): Expiries<T> {
  const minutes = new Map<number, Minute<T>>();
  /** The positions of running iterations. Removing the next record of one moves it to the record after that. */
  const walks = new Set<{ next?: T | undefined }>();

  function add(record: T): void {
    const at = minuteOf(record.expiresAt);
    const minute: Minute<T> = minutes.get(at) ?? { size: 0 };
    record.previous = minute.last;
    record.next = undefined;
    if (minute.last) minute.last.next = record;
    else minute.first = record;
    minute.last = record;
    if (++minute.size === 1) minutes.set(at, minute);
  }

  function remove(record: T): void {
    const { previous, next } = record;
    const at = minuteOf(record.expiresAt);
    const minute = minutes.get(at);
    if (!minute) return;
    for (const walk of walks) if (walk.next === record) walk.next = next;
    if (previous) previous.next = next;
    else minute.first = next;
    if (next) next.previous = previous;
    else minute.last = previous;
    if (--minute.size === 0) minutes.delete(at);
  }

  function move(record: T, expiresAt: number): void {
    const stays = minuteOf(expiresAt) === minuteOf(record.expiresAt);
    if (!stays) remove(record);
    record.expiresAt = expiresAt;
    if (!stays) add(record);
  }

  function* between(after: number, before: number): Generator<T, undefined> {
    const [from, to] = [minuteOf(after), minuteOf(before)];
    const walk: { next?: T | undefined } = {};
    walks.add(walk);
    try {
      // Iterate over a copy: a minute that empties and fills again meanwhile would come up again and again.
      for (const at of [...minutes.keys()]) {
        const minute = at >= from && at <= to ? minutes.get(at) : undefined;
        walk.next = minute?.first;
        // Take no more records than there are now. Otherwise this might never end on a busy site.
        for (let left = minute?.size ?? 0; walk.next && left > 0; left--) {
          const record: T = walk.next;
          walk.next = record.next;
          yield record;
        }
      }
    } finally {
      walks.delete(walk);
    }
  }

  return { add, remove, move, between };
}
