// Fills a store in memory with sessions of 200 bytes, and tells its parent how much the heap has grown. For this library
// it then sweeps all sessions after they have expired, and watches the event loop.
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { createSessionManager } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import session from "express-session";
import { watchPauses } from "../measure/pauses.ts";

const [who, argument] = process.argv.slice(2);
const count = Number(argument);
const textOf = (i: number): string => `${i}`.padEnd(200, "x");

function heap(): number {
  if (globalThis.gc === undefined) throw new Error("Start it with --expose-gc");
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function ours() {
  let now = Date.now();
  const driver = memoryDriver({ maxSessions: 2 * count });
  const sessions = createSessionManager({ driver, clock: () => now });
  const before = heap();
  for (let i = 0; i < count; i++) {
    const one = sessions.create();
    one.store("site").set("text", textOf(i));
    await one.commit();
  }
  const grown = heap() - before;
  // Two full collections leave work to V8's own threads, which compete with this one on two cores.
  await setTimeout(2000);
  // Well after the idle timeout.
  now += 25 * 3_600_000;
  const begun = performance.now();
  const pause = watchPauses();
  const swept = await sessions.sweep();
  return { grown, swept, longestPause: pause(), sweepMs: performance.now() - begun };
}

async function expressSession() {
  const store = new session.MemoryStore();
  const before = heap();
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: "/" };
  for (let i = 0; i < count; i++) {
    const sid = randomBytes(24).toString("base64url");
    // The middleware gives the store this object, and the store turns it into text.
    const value = { cookie, text: textOf(i) };
    await new Promise<void>((done) => store.set(sid, value, () => done()));
  }
  const grown = heap() - before;
  // Keep the store alive until here, or it may be collected before it is measured.
  return { grown, kept: Object.keys(Object(store).sessions).length };
}

process.send?.(who === "ours" ? await ours() : await expressSession());
process.disconnect();
