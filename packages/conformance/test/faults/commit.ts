import { yieldToEventLoop } from "../../src/support.ts";
import { apply, counts, isLive, merge } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";

/** Faults in what commit writes, and to what: R3 and R4. */
export const commitFaults: Fault[] = [
  fault("R3", "commit reads all fields, and writes them all back later", (rows) => ({
    async commit(id, given, now) {
      const change = { ...given, fields: new Map(given.fields) };
      const before = rows.get(id);
      const fields = new Map(before?.fields);
      merge(fields, change.fields);
      await yieldToEventLoop();
      const row = rows.get(id);
      if (!isLive(row, now)) return "gone";
      if (change.ifVersion !== undefined && change.ifVersion !== row.version) return "conflict";
      apply(row, { ...change, fields: new Map() });
      if (change.fields.size > 0) row.fields = fields;
      if (change.fields.size > 0 && !counts({ ...change, fields: new Map() })) row.version++;
      return "committed";
    },
  })),
  fault("R3", "commits are serialised within one driver, not between drivers", (rows, sound) => {
    let last: Promise<unknown> = Promise.resolve();
    return {
      commit(id, given, now) {
        const change = { ...given, fields: new Map(given.fields) };
        const next = last.then(async () => {
          const fields = new Map(rows.get(id)?.fields);
          const outcome = await sound.commit(id, change, now);
          merge(fields, change.fields);
          const row = rows.get(id);
          if (outcome === "committed" && row) row.fields = fields;
          return outcome;
        });
        last = next;
        return next;
      },
    };
  }),
  fault("R3", "a reader sees the expiry before the fields", (rows, sound) => ({
    async commit(id, change, now) {
      const row = rows.get(id);
      if (change.ifVersion === undefined && change.expiresAt !== undefined && isLive(row, now)) {
        if (change.expiresAt > now) row.expiresAt = change.expiresAt;
        await yieldToEventLoop();
      }
      return sound.commit(id, change, now);
    },
  })),
  fault("R3", "a large commit is written in batches", (rows, sound) => ({
    async commit(id, change, now) {
      const entries = [...change.fields];
      const row = rows.get(id);
      const compared = change.ifVersion !== undefined;
      for (let i = 0; i + 200 < entries.length && isLive(row, now) && !compared; i += 200) {
        merge(row.fields, new Map(entries.slice(i, i + 200)));
        await yieldToEventLoop();
      }
      return sound.commit(id, { ...change, fields: new Map(entries) }, now);
    },
  })),
  fault("R3", "concurrent commits to one field fail with a deadlock", (rows, sound) => {
    const locked = new Set<string>();
    return {
      async commit(id, change, now) {
        const locks = [...change.fields.keys()].map((name) => `${id} ${name}`);
        if (change.ifVersion === undefined && rows.has(id) && locks.some((lock) => locked.has(lock)))
          throw new Error("deadlock found when trying to get lock");
        for (const lock of locks) locked.add(lock);
        const outcome = await sound.commit(id, change, now);
        for (const lock of locks) locked.delete(lock);
        return outcome;
      },
    };
  }),
  fault("R3", "an update of no row is taken for gone", (rows, sound) => ({
    async commit(id, change, now) {
      const row = rows.get(id);
      const before = row && JSON.stringify([row.expiresAt, row.principal, [...row.fields]]);
      const outcome = await sound.commit(id, change, now);
      const after = row && JSON.stringify([row.expiresAt, row.principal, [...row.fields]]);
      return before === after && outcome === "committed" && change.ifVersion === undefined ? "gone" : outcome;
    },
  })),
  fault("R3", "null clears no principal where fields are written too", (_, sound) => ({
    commit: (id, { principal, ...change }, now) =>
      sound.commit(
        id,
        principal === null && change.fields.size > 0
          ? { ...change, principal: undefined }
          : { ...change, principal },
        now,
      ),
  })),

  fault("R4", "commit makes a record that is not there", (rows, sound) => ({
    async commit(id, change, now) {
      if (!rows.has(id)) {
        const fields = new Map<string, string>();
        rows.set(id, { version: 0, expiresAt: now + 60_000, principal: undefined, fields });
      }
      return sound.commit(id, change, now);
    },
  })),
  fault("R4", "a new expiry revives an expired record", (rows, sound) => ({
    commit: (id, change, now) =>
      sound.commit(
        id,
        change,
        (change.expiresAt ?? 0) > now && rows.has(id) ? Number.NEGATIVE_INFINITY : now,
      ),
  })),
  fault("R4", "commit takes a record for live at its expiry", (_, sound) => ({
    commit: (id, change, now) => sound.commit(id, change, now - 1),
  })),
  fault("R4", "commit judges by the backend's clock", (_, sound) => ({
    commit: (id, change, now) => sound.commit(id, change, Math.max(now, Date.now() - 200_000)),
  })),
  fault("R4", "ifVersion is compared before the expiry", (rows, sound) => ({
    async commit(id, change, now) {
      const version = rows.get(id)?.version;
      if (change.ifVersion !== undefined && version !== undefined && change.ifVersion !== version)
        return "conflict";
      return sound.commit(id, change, now);
    },
  })),
  fault("R4", "commit ignores an expiry that is already reached", (_, sound) => ({
    async commit(id, { expiresAt, ...change }, now) {
      const kept = expiresAt === now ? {} : { expiresAt };
      return sound.commit(id, { ...change, ...kept }, now);
    },
  })),
  fault("R4", "commit writes back a record that was destroyed meanwhile", (rows, sound) => {
    const destroyed = new Set<string>();
    return {
      async destroy(id, now) {
        const answer = await sound.destroy(id, now);
        destroyed.add(id);
        return answer;
      },
      async commit(id, change, now) {
        const row = rows.get(id);
        const outcome = await sound.commit(id, change, now);
        if (outcome !== "gone" || !isLive(row, now) || !destroyed.has(id)) return outcome;
        rows.set(id, row);
        return "committed";
      },
    };
  }),
  fault("R4", "a compare-and-set that finds no row answers conflict", (rows, sound) => ({
    async commit(id, change, now) {
      const there = isLive(rows.get(id), now);
      const outcome = await sound.commit(id, change, now);
      return there && outcome === "gone" && change.ifVersion !== undefined ? "conflict" : outcome;
    },
  })),
  fault("R4", "a commit that finds an expired record removes it", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      if (outcome === "gone") rows.delete(id);
      return outcome;
    },
  })),
];
