import type { Driver, ListingDriver } from "../src/index.ts";

/** A clock that stands still until it is moved. It begins near real time, as a driver may expect. */
export function manualClock(start: number = Date.UTC(2030, 0, 1)): {
  clock: () => number;
  pass: (ms: number) => void;
} {
  let now = start;
  return {
    clock: () => now,
    pass: (ms) => {
      now += ms;
    },
  };
}

export const MINUTE = 60_000;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

/** What a browser sends back for a Set-Cookie header: `undefined` where it was told to forget. */
export function cookieOf(setCookie: string | undefined, before?: string): string | undefined {
  if (setCookie === undefined) return before;
  return /;\s*max-age=0(;|$)/i.test(setCookie) ? undefined : setCookie.split(";")[0];
}

type Call = "create" | "load" | "commit" | "destroy" | "sweep" | "list";

/** The driver, with every call counted and told to `before`, which may wait or throw. */
export function watched<D extends Driver>(
  inner: D & Partial<ListingDriver>,
  before: (call: Call) => Promise<void> | void = () => {},
): { driver: ListingDriver; calls: Call[]; counts(): Partial<Record<Call, number>> } {
  const calls: Call[] = [];
  const note = async (call: Call): Promise<void> => {
    calls.push(call);
    await before(call);
  };
  return {
    calls,
    counts() {
      const counts: Partial<Record<Call, number>> = {};
      for (const call of calls.splice(0)) counts[call] = (counts[call] ?? 0) + 1;
      return counts;
    },
    driver: {
      name: inner.name,
      async create(...args) {
        await note("create");
        return inner.create(...args);
      },
      async load(...args) {
        await note("load");
        return inner.load(...args);
      },
      async commit(...args) {
        await note("commit");
        return inner.commit(...args);
      },
      async destroy(...args) {
        await note("destroy");
        return inner.destroy(...args);
      },
      async sweep(...args) {
        await note("sweep");
        return inner.sweep(...args);
      },
      async list(...args) {
        await note("list");
        if (!inner.list) throw new Error("not a listing driver");
        return inner.list(...args);
      },
    },
  };
}
