import { yieldToEventLoop } from "../../src/support.ts";
import { apply, counts, isLive, type Rows } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { beside } from "./wrap.ts";

const waitingFor = beside(() => new Map<string, number>());

/** What every commit changes, touches included. */
const stateOf = (rows: Rows, id: string): string => {
  const row = rows.get(id);
  return `${row?.version} ${row?.expiresAt}`;
};

/** Removes a record that nobody has written since it was looked at, in so many attempts. */
async function removeUnchanged(
  rows: Rows,
  id: string,
  now: number,
  attempts: number,
  giveUp: () => boolean | Promise<boolean>,
): Promise<boolean> {
  for (let i = 0; i < attempts; i++) {
    await yieldToEventLoop();
    if (!isLive(rows.get(id), now)) return false;
    const seen = stateOf(rows, id);
    await yieldToEventLoop();
    if (stateOf(rows, id) === seen) return rows.delete(id);
  }
  return giveUp();
}

/** Faults in comparing and counting, and in destroy: R5 to R7. */
export const versionAndDestroyFaults: Fault[] = [
  fault("R5", "ifVersion is heeded only where fields are written", (rows, sound) => ({
    async commit(id, { ifVersion, ...change }, now) {
      const heeded = change.fields.size > 0 || ifVersion === undefined;
      if (heeded) return sound.commit(id, { ...change, ifVersion }, now);
      const outcome = await sound.commit(id, change, now);
      const row = rows.get(id);
      if (outcome === "committed" && row && !counts(change)) row.version++;
      return outcome;
    },
  })),
  fault("R5", "a conflict still moves the expiry", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const row = rows.get(id);
      if (outcome === "conflict" && row && change.expiresAt !== undefined) row.expiresAt = change.expiresAt;
      return outcome;
    },
  })),
  fault("R5", "a conflict still counts", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const row = rows.get(id);
      if (outcome === "conflict" && row) row.version++;
      return outcome;
    },
  })),
  fault("R5", "the version is compared first, the record written later", (rows) => ({
    async commit(id, given, now) {
      const change = { ...given, fields: new Map(given.fields) };
      const seen = rows.get(id)?.version;
      await yieldToEventLoop();
      const row = rows.get(id);
      if (!isLive(row, now)) return "gone";
      if (change.ifVersion !== undefined && change.ifVersion !== seen) return "conflict";
      apply(row, change);
      return "committed";
    },
  })),
  fault("R5", "only an older version conflicts", (rows, sound) => ({
    async commit(id, change, now) {
      const version = rows.get(id)?.version ?? 0;
      const newer = change.ifVersion !== undefined && change.ifVersion > version;
      return sound.commit(id, newer ? { ...change, ifVersion: version } : change, now);
    },
  })),

  fault("R6", "a touch counts", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const row = rows.get(id);
      if (outcome === "committed" && row && !counts(change) && change.expiresAt !== undefined) row.version++;
      return outcome;
    },
  })),
  fault("R6", "every field counts", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const row = rows.get(id);
      if (outcome === "committed" && row && change.fields.size > 2) row.version += change.fields.size - 1;
      return outcome;
    },
  })),
  fault("R6", "a principal alone does not count", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const row = rows.get(id);
      const alone = change.principal === null && change.fields.size === 0 && change.ifVersion === undefined;
      if (outcome === "committed" && row && alone) row.version--;
      return outcome;
    },
  })),
  fault("R6", "ifVersion alone does not count", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const row = rows.get(id);
      const alone = change.ifVersion !== undefined && !counts({ ...change, ifVersion: undefined });
      if (outcome === "committed" && row && alone) row.version--;
      return outcome;
    },
  })),
  fault("R6", "a commit that changes nothing does not count", (rows, sound) => ({
    async commit(id, change, now) {
      const row = rows.get(id);
      const same =
        row && [...change.fields].every(([name, text]) => row.fields.get(name) === (text ?? undefined));
      const before = row?.version ?? 0;
      const outcome = await sound.commit(id, change, now);
      const counted =
        change.fields.size > 0 && change.principal === undefined && change.ifVersion === undefined;
      // Beside another commit it cannot tell what this one changed.
      const isAlone = row?.version === before + 1;
      if (outcome === "committed" && row && isAlone && same && counted) row.version--;
      return outcome;
    },
  })),

  fault("R7", "destroy of an expired record answers true", (rows) => ({
    async destroy(id) {
      await yieldToEventLoop();
      return rows.delete(id);
    },
  })),
  fault("R7", "destroy always answers true", (_, sound) => ({
    async destroy(id, now) {
      await sound.destroy(id, now);
      return true;
    },
  })),
  fault("R7", "destroy looks first and removes later", (rows, sound) => ({
    async destroy(id, now) {
      await yieldToEventLoop();
      const there = isLive(rows.get(id), now);
      await sound.destroy(id, now);
      return there;
    },
  })),
  fault("R7", "destroy judges by the backend's clock", (_, sound) => ({
    destroy: (id, now) => sound.destroy(id, Math.max(now, Date.now() - 200_000)),
  })),
  fault("R7", "destroy looks again where the record was written, and gives up after five times", (rows) => ({
    destroy: (id, now) => removeUnchanged(rows, id, now, 5, () => false),
  })),
  fault("R7", "destroy that gave up after five times answers true, as if it had removed", (rows) => ({
    destroy: (id, now) => removeUnchanged(rows, id, now, 5, () => true),
  })),
  fault("R7", "destroy that gave up after five times removes the record whoever else does", (rows) => ({
    destroy: (id, now) =>
      removeUnchanged(rows, id, now, 5, async () => {
        await yieldToEventLoop();
        rows.delete(id);
        return true;
      }),
  })),
  fault("R7", "destroy answers false at once where three others wait for the record already", (rows) => {
    const waiting = waitingFor(rows);
    return {
      async destroy(id, now) {
        const before = waiting.get(id) ?? 0;
        if (before === 3) return false;
        waiting.set(id, before + 1);
        const removed = await removeUnchanged(
          rows,
          id,
          now,
          5,
          () => isLive(rows.get(id), now) && rows.delete(id),
        );
        waiting.set(id, (waiting.get(id) ?? 1) - 1);
        return removed;
      },
    };
  }),
];
