import { type Change, type CommitOutcome, DriverUnavailableError, type StoredRecord } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import { counts } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";

/** Calls of one tick, made together. */
function gather<T>(make: (batch: readonly T[]) => void): (one: T) => void {
  let batch: T[] = [];
  return (one) => {
    if (batch.push(one) > 1) return;
    setImmediate(() => {
      const made = batch;
      batch = [];
      make(made);
    });
  };
}

interface Waiting {
  readonly id: string;
  readonly change: Change;
  readonly now: number;
  readonly done: (outcome: CommitOutcome) => void;
  readonly failed: (error: unknown) => void;
}

const copied = (change: Change): Change => ({ ...change, fields: new Map(change.fields) });

/** Drivers that merge, gather or queue calls. */
export const batchFaults: Fault[] = [
  fault("R2", "where three loads of a record are under way, a fourth joins the last", (_, sound) => {
    const under = new Map<string, Promise<StoredRecord | undefined>[]>();
    return {
      async load(id) {
        const loads = under.get(id) ?? [];
        under.set(id, loads);
        const last = loads.length >= 3 ? loads.at(-1) : undefined;
        if (last) {
          const record = await last;
          return record && { ...record, fields: new Map(record.fields) };
        }
        const begun = (async () => {
          const record = await sound.load(id);
          for (let i = 0; i < 4; i++) await yieldToEventLoop();
          return record;
        })();
        loads.push(begun);
        return begun.finally(() => loads.splice(loads.indexOf(begun), 1));
      },
    };
  }),
  fault("R14", "commits of a tick are one transaction: where one is gone, all are", (_, sound) => {
    const enter = gather<Waiting>(async (batch) => {
      const records = await Promise.all(batch.map(({ id }) => sound.load(id)));
      const alone = batch.length === 1 || new Set(batch.map(({ id }) => id)).size < batch.length;
      if (!alone && records.includes(undefined)) for (const { done } of batch) done("gone");
      else
        for (const { id, change, now, done, failed } of batch)
          sound.commit(id, change, now).then(done, failed);
    });
    return {
      commit: (id, change, now) =>
        new Promise((done, failed) => enter({ id, change: copied(change), now, done, failed })),
    };
  }),
  fault("R14", "commits of a tick have the outcome of the last", (_, sound) => {
    const enter = gather<Waiting>(async (batch) => {
      const outcomes = await Promise.all(batch.map(({ id, change, now }) => sound.commit(id, change, now)));
      const mixed = new Set(batch.map(({ id }) => id)).size === batch.length;
      for (const [i, { done }] of batch.entries()) done((mixed ? outcomes.at(-1) : outcomes[i]) ?? "gone");
    });
    return {
      commit: (id, change, now) =>
        new Promise((done, failed) => enter({ id, change: copied(change), now, done, failed })),
    };
  }),
  fault("R14", "a conflict among the commits of a tick fails all of them", (_, sound) => {
    const enter = gather<Waiting>(async (batch) => {
      const outcomes = await Promise.all(batch.map(({ id, change, now }) => sound.commit(id, change, now)));
      const mixed = new Set(batch.map(({ id }) => id)).size === batch.length;
      for (const [i, { done, failed }] of batch.entries())
        if (mixed && batch.length > 1 && outcomes.includes("conflict"))
          failed(new DriverUnavailableError("the transaction was rolled back"));
        else done(outcomes[i] ?? "gone");
    });
    return {
      commit: (id, change, now) =>
        new Promise((done, failed) => enter({ id, change: copied(change), now, done, failed })),
    };
  }),
  fault("R10", "a touch beside ten others is acknowledged before it is written", (_, sound) => {
    let touches = 0;
    const behind = new Map<string, Promise<unknown>>();
    const after = async <T>(id: string, call: () => Promise<T>): Promise<T> => {
      await behind.get(id);
      return call();
    };
    return {
      load: (id) => after(id, () => sound.load(id)),
      destroy: (id, now) => after(id, () => sound.destroy(id, now)),
      async commit(id, given, now) {
        const change = copied(given);
        if (counts(change)) return after(id, () => sound.commit(id, change, now));
        try {
          if (++touches <= 10) return await after(id, () => sound.commit(id, change, now));
          const record = await after(id, () => sound.load(id));
          if (!record || record.expiresAt <= now || (change.expiresAt ?? now + 1) <= now)
            return await sound.commit(id, change, now);
          const sent = (async () => {
            for (let i = 0; i < 3; i++) await yieldToEventLoop();
            await sound.commit(id, change, now);
          })().finally(() => behind.delete(id));
          behind.set(id, sent);
          return "committed";
        } finally {
          touches--;
        }
      },
    };
  }),
  fault("R6", "waiting commits of one record are merged into one", (_, sound) => {
    const enter = gather<Waiting>((batch) => {
      const byId = new Map<string, Waiting[]>();
      for (const one of batch) {
        const { id, change } = one;
        const alone = change.ifVersion !== undefined || change.expiresAt !== undefined;
        const key = !alone ? id : `${id} ${byId.size}`;
        byId.set(key, [...(byId.get(key) ?? []), one]);
      }
      for (const all of byId.values()) {
        const [first] = all;
        if (!first) continue;
        const fields = new Map(all.flatMap(({ change }) => [...change.fields]));
        const principal = all.map(({ change }) => change.principal).findLast((name) => name !== undefined);
        const change = all.length === 1 ? first.change : { fields, principal };
        sound.commit(first.id, change, first.now).then(
          (outcome) => {
            for (const { done } of all) done(outcome);
          },
          (error: unknown) => {
            for (const { failed } of all) failed(error);
          },
        );
      }
    });
    return {
      commit: (id, change, now) =>
        new Promise((done, failed) => enter({ id, change: copied(change), now, done, failed })),
    };
  }),
  fault("R10", "a destroy beside ten others is acknowledged before it is made", (_, sound) => {
    let destroys = 0;
    const ids = new Set<string>();
    const behind = new Map<string, Promise<unknown>>();
    const after = async <T>(id: string, call: () => Promise<T>): Promise<T> => {
      await behind.get(id);
      return call();
    };
    return {
      load: (id) => after(id, () => sound.load(id)),
      create: (id, record, now) => {
        const given = { ...record, fields: new Map(record.fields) };
        return after(id, () => sound.create(id, given, now));
      },
      commit: (id, given, now) => {
        const change = copied(given);
        return after(id, () => sound.commit(id, change, now));
      },
      async destroy(id, now) {
        try {
          if (++destroys <= 10 || ids.has(id)) {
            ids.add(id);
            return await after(id, () => sound.destroy(id, now));
          }
          ids.add(id);
          const record = await sound.load(id);
          if (!record || record.expiresAt <= now) return await after(id, () => sound.destroy(id, now));
          const sent = (async () => {
            for (let i = 0; i < 3; i++) await yieldToEventLoop();
            await sound.destroy(id, now);
          })().finally(() => behind.delete(id));
          behind.set(id, sent);
          return true;
        } finally {
          destroys--;
          ids.delete(id);
        }
      },
    };
  }),
];
