import type { Change, CommitOutcome } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import { copy, counts, isLive } from "../simple-driver.ts";
import { outage } from "./away.ts";
import { type Fault, fault } from "./fault.ts";
import { altered, beside, indexed } from "./wrap.ts";

interface Sent {
  readonly id: string;
  readonly change: Change;
  readonly now: number;
  readonly done: (outcome: CommitOutcome) => void;
  readonly failed: (error: unknown) => void;
}

const replicas = beside(() => new Map<string, ReturnType<typeof copy>>());

/** What a driver over ioredis does wrong: replies that are objects, queues, scripts, prefixes, replicas. */
export const ioredisFaults: Fault[] = [
  indexed(
    "R13",
    "an index entry whose key is missing is an empty hash, and listed",
    (rows, sound, index) => ({
      async list(query, now) {
        const page = await sound.list(query, now);
        const missing = [...(index.get(query.principal ?? "") ?? [])].filter((id) => !rows.has(id));
        const empty = missing.map((id) => ({ id, version: 0, expiresAt: 0, fields: new Map() }));
        return { ...page, records: [...page.records, ...empty] };
      },
    }),
  ),
  altered("R3", "a principal that is cleared is written as an empty text", (change) =>
    change.principal === null ? { ...change, principal: "" } : change,
  ),
  fault(
    "R5",
    "of more than ten calls that WATCH, the null of an EXEC is taken for committed",
    (rows, sound) => {
      let watching = 0;
      return {
        async commit(id, change, now) {
          if (change.ifVersion === undefined || rows.get(id)?.version !== change.ifVersion)
            return sound.commit(id, change, now);
          const crowded = ++watching > 10;
          try {
            const outcome = await sound.commit(id, change, now);
            return crowded && outcome === "conflict" ? "committed" : outcome;
          } finally {
            watching--;
          }
        },
      };
    },
  ),
  fault("R5", "an EXEC of another call on the connection ends the WATCH", (rows, sound) => {
    let execs = 0;
    return {
      async commit(id, given, now) {
        const change = { ...given, fields: new Map(given.fields) };
        const { ifVersion, ...unwatched } = change;
        const before = execs;
        const equal = ifVersion !== undefined && rows.get(id)?.version === ifVersion;
        await yieldToEventLoop();
        const ended = execs > before;
        execs++;
        // The version of the change's own counts still.
        const row = rows.get(id);
        const outcome = await sound.commit(id, equal && ended ? unwatched : change, now);
        if (outcome === "committed" && row && equal && ended && !counts(unwatched)) row.version++;
        return outcome;
      },
    };
  }),
  fault(
    "R14",
    "scripts that a pipeline's first run did not find have their results at its end",
    (_, sound) => {
      let batch: Sent[] = [];
      let known = false;
      const run = async () => {
        const sent = batch;
        batch = [];
        const again = !known && sent.length > 1 && new Set(sent.map(({ id }) => id)).size === sent.length;
        known ||= again;
        const results = await Promise.allSettled(
          sent.map(({ id, change, now }) => sound.commit(id, change, now)),
        );
        for (const [i, { done, failed }] of sent.entries()) {
          const result = results[again ? (i + 1) % sent.length : i];
          if (result?.status === "fulfilled") done(result.value);
          else failed(result?.reason);
        }
      };
      return {
        commit: (id, given, now) =>
          new Promise((done, failed) => {
            const change = { ...given, fields: new Map(given.fields) };
            if (batch.push({ id, change, now, done, failed }) === 1) setImmediate(() => void run());
          }),
      };
    },
  ),
  outage("after a restart of the backend the first NOSCRIPT is taken for gone", (sound, line) => {
    let restarted = false;
    return {
      async create(id, record, now) {
        restarted ||= !line.up;
        return sound.create(id, record, now);
      },
      async commit(id, change, now) {
        restarted ||= !line.up;
        const missing = restarted && line.up;
        if (missing) restarted = false;
        return missing ? "gone" : sound.commit(id, change, now);
      },
    };
  }),
  outage(
    "after a restart, an answer of a backend that loads its data is the client's own error",
    (sound, line) => {
      let loading = 0;
      return {
        async load(id) {
          if (!line.up) loading = 3;
          else if (loading-- > 0) throw new Error("LOADING Redis is loading the dataset in memory");
          return sound.load(id);
        },
      };
    },
  ),
  fault(
    "R14",
    "create's script builds its key without the prefix: an id of any namespace is taken",
    (rows, sound, world) => ({
      async create(id, record, now) {
        const others = [...world.values()].filter((other) => other !== rows);
        return !others.some((other) => isLive(other.get(id), now)) && sound.create(id, record, now);
      },
    }),
  ),
  fault(
    "R14",
    "the expiry is moved by a script without the prefix, in every namespace",
    (_, sound, world) => ({
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        const { expiresAt } = change;
        if (outcome === "committed" && expiresAt !== undefined)
          for (const rows of world.values()) {
            const row = rows.get(id);
            if (row) row.expiresAt = expiresAt;
          }
        return outcome;
      },
    }),
  ),
  fault("R13", "a listing reads records from a replica that has not seen the last commit", (rows, sound) => {
    const replica = replicas(rows);
    return {
      async commit(id, change, now) {
        const row = rows.get(id);
        if (row) replica.set(id, copy(row));
        return sound.commit(id, change, now);
      },
      async list(query, now) {
        const page = await sound.list(query, now);
        const records = page.records.map(({ id, ...record }) => {
          const { fields } = replica.get(id) ?? record;
          replica.delete(id);
          return { id, ...record, fields: new Map(fields) };
        });
        return { ...page, records };
      },
    };
  }),
];
