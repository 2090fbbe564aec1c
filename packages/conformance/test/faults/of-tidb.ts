import { yieldToEventLoop } from "../../src/support.ts";
import { apply, copy, counts, isLive } from "../simple-driver.ts";
import { setup } from "./away.ts";
import { type Fault, fault } from "./fault.ts";

/** How often a transaction is tried. */
const RETRIES = 10;

/** Principals that a collation takes for one. */
const collated = (what: string, weight: (principal: string) => string): Fault =>
  fault("R13", what, (rows, sound) => ({
    async list(query, now) {
      const { principal } = query;
      if (principal === undefined) return sound.list(query, now);
      await yieldToEventLoop();
      const same = [...rows].filter(
        ([, row]) =>
          isLive(row, now) && row.principal !== undefined && weight(row.principal) === weight(principal),
      );
      return { records: same.map(([id, row]) => ({ id, ...copy(row) })) };
    },
  }));

/** What a driver over TiDB does wrong: optimistic transactions, collations, counts of rows, online changes. */
export const tidbFaults: Fault[] = [
  fault(
    "R3",
    "an optimistic transaction that has lost ten times is reported as committed",
    (rows, sound) => ({
      async commit(id, given, now) {
        if (given.ifVersion !== undefined) return sound.commit(id, given, now);
        const change = { ...given, fields: new Map(given.fields) };
        const version = rows.get(id)?.version ?? 0;
        await yieldToEventLoop();
        const row = rows.get(id);
        if (!isLive(row, now)) return "gone";
        if (row.version <= version + RETRIES) apply(row, change);
        else if (counts(change)) row.version++;
        return "committed";
      },
    }),
  ),
  fault("R3", "a touch that meets a commit is lost", (rows, sound) => ({
    async commit(id, change, now) {
      const version = rows.get(id)?.version;
      const { expiresAt } = change;
      if (counts(change) || expiresAt === undefined || expiresAt <= now) return sound.commit(id, change, now);
      await yieldToEventLoop();
      const row = rows.get(id);
      return isLive(row, now) && row.version !== version ? "committed" : sound.commit(id, change, now);
    },
  })),
  fault("R5", "an optimistic compare-and-set that is retried does not compare again", (rows, sound) => ({
    async commit(id, given, now) {
      const change = { ...given, fields: new Map(given.fields) };
      const { ifVersion, ...retried } = change;
      const equal = ifVersion !== undefined && rows.get(id)?.version === ifVersion;
      const outcome = await sound.commit(id, change, now);
      if (outcome !== "conflict" || !equal) return outcome;
      const version = rows.get(id)?.version;
      return version === undefined ? "gone" : sound.commit(id, { ...retried, ifVersion: version }, now);
    },
  })),
  collated("principals are compared without the characters beyond the basic plane", (principal) =>
    principal.replace(/[\u{10000}-\u{10FFFF}]/gu, "\uFFFD"),
  ),
  collated("principals are compared without what has no weight", (principal) =>
    principal.replace(/[\p{Cf}\p{Cc}]/gu, ""),
  ),
  collated("a sharp s is two", (principal) => principal.replaceAll("ß", "ss")),
  fault("R8", "a sweep works in batches of 100, and counts the last", (_, sound) => ({
    async sweep(range) {
      const swept = await sound.sweep(range);
      return swept > 100 ? swept % 100 || 100 : swept;
    },
  })),
  fault("R8", "a sweep reads a few seconds behind, and misses a touch", (rows, sound) => {
    const before = new Map<string, number>();
    return {
      async commit(id, change, now) {
        const old = rows.get(id)?.expiresAt;
        const outcome = await sound.commit(id, change, now);
        if (outcome === "committed" && change.expiresAt !== undefined && old !== undefined)
          before.set(id, old);
        return outcome;
      },
      async sweep(range) {
        let removed = await sound.sweep(range);
        for (const [id, at] of before)
          if (removed < range.limit && at >= range.after && at < range.before && rows.delete(id)) removed++;
        before.clear();
        return removed;
      },
    };
  }),
  setup("a commit that a setup overlaps rejects, for the schema has changed", (world, namespace, sound) => {
    const changing = `${namespace} (changing)`;
    return {
      async setup() {
        const again = world.has(namespace);
        await sound.setup();
        if (!again) return;
        world.set(changing, new Map());
        await yieldToEventLoop();
        world.delete(changing);
      },
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (world.has(changing)) throw new Error("Information schema is changed");
        return outcome;
      },
    };
  }),
];
