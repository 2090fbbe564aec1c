/** What the index needs of a record: when it expires, and its neighbours among those of the same minute. */
export interface Expiring<T> {
  expiresAt: number;
  previous: T | undefined;
  next: T | undefined;
}

/** The records in memory, by the minute in which they expire. */
export interface Expiries<T> {
  add(record: T): void;
  remove(record: T): void;
  /** Gives a record that is in the index another expiry. */
  move(record: T, expiresAt: number): void;
  /**
   * The records of every minute that has a part between the two instants, whatever is added, moved and removed between
   * two steps: one that stays in its minute comes once, one that was removed never, one that is added may be left out.
   */
  between(after: number, before: number): Generator<T, undefined>;
}

/** Those that expire in one minute, in the order in which they came. */
interface Minute<T> {
  first?: T | undefined;
  last?: T | undefined;
  size: number;
}

const MINUTE_MS = 60_000;

export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS);

/**
 * An index by expiry that costs a record two references, and a use that stays within the minute nothing. A minute is a
 * list, for an array or a Set of a million would be copied whole when it grows. How many minutes there are follows from
 * how long sessions live, not from how many there are.
 */
export function createExpiries<T extends Expiring<T>>(): Expiries<T> {
  const minutes = new Map<number, Minute<T>>();
  /** Where those are that go through a minute now: who removes the record they go on with sends them to the next one. */
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
      // A copy: a minute that empties and fills again while this goes on would come up again and again.
      for (const at of [...minutes.keys()]) {
        const minute = at >= from && at <= to ? minutes.get(at) : undefined;
        walk.next = minute?.first;
        // No more than there are now, or this would never end where others come as fast.
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
