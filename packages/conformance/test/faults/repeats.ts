import { isSessionError } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import type { Line } from "../simple-driver.ts";
import { counts } from "../simple-driver.ts";
import { outage } from "./away.ts";
import type { Fault } from "./fault.ts";

/** Makes the call again if its answer was lost while the backend stayed, as many clients do. */
const repeated = async <T>(line: Line, call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    if (!line.up || !isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
    return call();
  }
};

/** Rejects, and makes the call again behind its caller's back, as a client with an offline queue does. */
const later = async <T>(line: Line, call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    if (line.up)
      void (async () => {
        for (let i = 0; i < 6; i++) await yieldToEventLoop();
        await call().catch(() => {});
      })();
    throw error;
  }
};

/** Clients that repeat what was lost, and drivers that take no answer for an answer: R11. */
export const repeatFaults: Fault[] = [
  outage("a commit whose answer was lost is sent again", (sound, line) => ({
    commit: (id, { ifVersion, ...change }, now) =>
      ifVersion === undefined
        ? repeated(line, () => sound.commit(id, change, now))
        : sound.commit(id, { ...change, ifVersion }, now),
  })),
  outage("a commit whose answer was lost is rejected, and sent again later", (sound, line) => ({
    commit: (id, change, now) =>
      counts(change) && change.ifVersion === undefined
        ? later(line, () => sound.commit(id, change, now))
        : sound.commit(id, change, now),
  })),
  outage("a touch whose answer was lost is rejected, and sent again later", (sound, line) => ({
    commit: (id, change, now) =>
      counts(change) ? sound.commit(id, change, now) : later(line, () => sound.commit(id, change, now)),
  })),
  outage("a compare-and-set whose answer was lost is sent again", (sound, line) => ({
    commit: (id, change, now) =>
      change.ifVersion === undefined
        ? sound.commit(id, change, now)
        : repeated(line, () => sound.commit(id, change, now)),
  })),
  outage("a create whose answer was lost is sent again", (sound, line) => ({
    create: (id, record, now) => repeated(line, () => sound.create(id, record, now)),
  })),
  outage("a create whose answer was lost is rejected, and sent again later", (sound, line) => ({
    create: (id, record, now) => later(line, () => sound.create(id, record, now)),
  })),
  outage("a destroy whose answer was lost is sent again", (sound, line) => ({
    destroy: (id, now) => repeated(line, () => sound.destroy(id, now)),
  })),
  outage("a destroy whose answer was lost is rejected, and sent again later", (sound, line) => ({
    destroy: (id, now) => later(line, () => sound.destroy(id, now)),
  })),
  outage("a commit whose answer was lost is gone, for no row was counted", (sound, line) => ({
    commit: (id, change, now) =>
      sound.commit(id, change, now).catch((error: unknown) => {
        if (!line.up) throw error;
        return "gone" as const;
      }),
  })),
  outage("a compare-and-set whose answer was lost is a conflict, for no row was counted", (sound, line) => ({
    commit: (id, change, now) =>
      sound.commit(id, change, now).catch((error: unknown) => {
        if (!line.up || change.ifVersion === undefined) throw error;
        return "conflict" as const;
      }),
  })),
  outage("a load whose answer was lost finds nothing", (sound, line) => ({
    load: (id) =>
      sound.load(id).catch((error: unknown) => {
        if (!line.up) throw error;
        return undefined;
      }),
  })),
  outage("a list whose answer was lost ends there", (sound, line) => ({
    list: (query, now) =>
      sound.list(query, now).catch((error: unknown) => {
        if (!line.up) throw error;
        return { records: [] };
      }),
  })),
  outage("a lost answer is the client's own error", (sound, line) => ({
    commit: (id, change, now) =>
      sound.commit(id, change, now).catch((error: unknown) => {
        if (!line.up) throw error;
        throw new Error("socket hang up");
      }),
  })),
];
