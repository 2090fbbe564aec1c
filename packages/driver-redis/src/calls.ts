import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import { DriverUnavailableError, type StoredRecord } from "@sessions/core";
import { createCall } from "@sessions/core/driver-tools";
import { hasCode, refuseQueued, translate } from "./errors.ts";
import type { RedisExecutor, RedisTimeLimit } from "./executor.ts";
import type { Keys } from "./keys.ts";
import type { Script } from "./scripts.ts";

/** Ways to call the server. Each rejects with a `SessionError`, and ends in time. `end` is by `performance.now()`. */
export interface Calls {
  /** Does work in `time` milliseconds. `changes` as in `CallDetails`. @default time the driver's timeout */
  within<T>(work: (limit: RedisTimeLimit) => Promise<T>, time?: number, changes?: boolean): Promise<T>;
  /** Sends one command to the server that has the key. @default end the driver's timeout from now */
  send(key: string, command: string[], end?: number): Promise<unknown>;
  /** Runs a script on one key, and waits for replicas if the driver does. @default end the driver's timeout from now */
  run(script: Script, key: string, args: string[], end?: number): Promise<unknown>;
}

/** The parts of the driver that its other parts use. */
export interface Backend extends Calls {
  readonly executor: RedisExecutor;
  readonly keys: Keys;
  /** Milliseconds. */
  readonly timeout: number;
  load(id: string): Promise<StoredRecord | undefined>;
}

/** Settings of the calls. */
interface CallSettings {
  /** Milliseconds. */
  readonly timeout: number;
  /** The number of replicas that must have a write before its call ends. */
  readonly waitReplicas: number;
}

/** Makes calls of an executor's commands. */
export function createCalls(executor: RedisExecutor, { timeout, waitReplicas }: CallSettings): Calls {
  const call = createCall({ driver: "redis", timeout, translate });
  // WAIT must return before the driver's own timeout, so that the error can say how many replicas acknowledged.
  const patience = `${Math.ceil(timeout / 2)}`;

  const within: Calls["within"] = (work, time = timeout, changes = false) => {
    const end = performance.now() + time;
    let controller: AbortController | undefined;
    let isLate = false;
    const signal = () => {
      controller ??= new AbortController();
      // A call to all servers adds a listener for each; Node would take more than ten for a leak and warn.
      setMaxListeners(0, controller.signal);
      if (isLate) controller.abort();
      return controller.signal;
    };
    return call(() => work({ left: () => end - performance.now(), signal, isOver: () => isLate }), time, {
      changes,
      onLate() {
        isLate = true;
        controller?.abort();
      },
    });
  };

  async function write(key: string, command: string[], limit: RedisTimeLimit): Promise<unknown> {
    if (waitReplicas === 0 || !executor.pair) return executor.send(key, command, limit);
    const wait = ["WAIT", `${waitReplicas}`, patience];
    const [reply, reached] = await executor.pair(key, command, wait, limit);
    refuseQueued(reply);
    if (Number(reached) < waitReplicas)
      throw new DriverUnavailableError(
        `redis: only ${Number(reached)} of ${waitReplicas} replicas have the change; it may or may not survive. Check the replicas.`,
      );
    return reply;
  }

  return {
    within,

    send: (key, command, end = performance.now() + timeout) =>
      within((limit) => executor.send(key, command, limit).then(refuseQueued), end - performance.now()),

    run: ({ sha, source }, key, args, end = performance.now() + timeout) =>
      within(
        (limit) =>
          write(key, ["EVALSHA", sha, "1", key, ...args], limit).then(refuseQueued, (error: unknown) => {
            // A server that was restarted does not know the digest yet: send the whole script.
            if (!hasCode(error, "NOSCRIPT")) throw error;
            return write(key, ["EVAL", source, "1", key, ...args], limit);
          }),
        end - performance.now(),
        true,
      ),
  };
}
