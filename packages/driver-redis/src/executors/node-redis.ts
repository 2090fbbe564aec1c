import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import { DriverUnavailableError, SessionConfigError } from "@sessions/core";
import { hasCode } from "../errors.ts";
import type { RedisExecutor, RedisMaster, RedisTimeLimit } from "../executor.ts";

// The few members of the package `redis` that the driver uses, for each kind of client.

/** Options of one command. */
export interface RedisCommandOptions {
  readonly asap?: false;
  readonly timeout?: number;
  readonly typeMapping?: { readonly 37: MapConstructor };
  readonly abortSignal?: AbortSignal;
  readonly chainId?: symbol;
}

/** The client that `createClient` returns: one connection to one server. */
export interface RedisClientLike {
  sendCommand(args: string[], options?: RedisCommandOptions): Promise<unknown>;
}

/** The client that `createClientPool` returns: several connections to one server. */
export interface RedisClientPoolLike extends RedisClientLike {
  execute<T>(task: (client: RedisClientLike) => Promise<T>): Promise<T>;
}

/** A server of a cluster, as the cluster's client names it. */
export interface RedisNodeLike {
  readonly address: string;
}

/** The client that `createCluster` returns. */
export interface RedisClusterLike {
  readonly masters: readonly RedisNodeLike[];
  nodeClient(node: RedisNodeLike): Promise<RedisClientLike>;
  /** Missing in version 5, where `waitReplicas` is refused. */
  getNodeClientForKey(key: string): Promise<RedisClientLike>;
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
    options?: RedisCommandOptions,
  ): Promise<unknown>;
}

/** The connection to the master that a client of `createSentinel` lends. */
export interface RedisSentinelLeaseLike {
  sendCommand(
    isReadonly: boolean | undefined,
    args: string[],
    options?: RedisCommandOptions,
  ): Promise<unknown>;
}

/** The client that `createSentinel` returns. */
export interface RedisSentinelLike extends RedisSentinelLeaseLike {
  getMasterNode(): unknown;
  acquire(): Promise<RedisSentinelLeaseLike>;
}

/** Any client of the package `redis`: `createClient`, `createClientPool`, `createCluster` or `createSentinel`. */
export type AnyNodeRedisLike = RedisClientLike | RedisClientPoolLike | RedisClusterLike | RedisSentinelLike;

/** Sends one command and returns the server's reply. */
type Send = RedisMaster["send"];

/** Decodes RESP3's maps as a Map: an object would treat names such as `0/0` or `__proto__/x` in its own way. */
const MAPS = { 37: Map } as const;

/**
 * The signal takes the command out of the client's queue. The client's own `timeout` is off: it starts only when the
 * command has a connection, and so would end after the call. So is `asap`, which would send the second of a pair first.
 */
const withdrawable = (abortSignal: AbortSignal): RedisCommandOptions => ({
  asap: false,
  timeout: 0,
  typeMapping: MAPS,
  abortSignal,
});

/** When the connection breaks, the client drops the rest of a chain instead of sending it on the next connection. */
const chained = (abortSignal: AbortSignal, chainId: symbol): RedisCommandOptions => ({
  ...withdrawable(abortSignal),
  chainId,
});

/**
 * Runs commands on any client of the package `redis`.
 *
 * @param timeout The driver's timeout, in milliseconds.
 * @param pairs Whether `pair` will be used.
 * @throws SessionConfigError for a client of version 4, which does not take a command out of its queue.
 */
export function nodeRedis(client: AnyNodeRedisLike, timeout: number, pairs: boolean): RedisExecutor {
  if (!("withTypeMapping" in client) && ("executeIsolated" in client || "getSlotMaster" in client))
    throw new SessionConfigError(
      "client must be one of redis 5 or 6, because an older one sends later what could not be sent in time; got a client of redis 4: update the package redis",
    );
  // A Sentinel client repeats a command after its connection broke, even where the server has executed it. A repeated
  // compare-and-set would conflict with itself, and an old text would overwrite a newer one. So each command has one
  // try.
  if ("getMasterNode" in client) {
    const sendAll = async ({ signal }: RedisTimeLimit, ...commands: string[][]) => {
      const one = pairs || leases.has(client) ? await lease(client) : client;
      const chain = Symbol("sessions");
      return Promise.all(
        commands.map((args) => one.sendCommand(false, args, chained(once(signal()), chain))),
      );
    };
    const send: Send = async (args, limit) => (await sendAll(limit, args))[0];
    return {
      send: (_, args, limit) => send(args, limit),
      pair: (_, first, second, limit) => sendAll(limit, first, second),
      masters: async () => [{ address: "master", send }],
    };
  }

  const sendChained = (one: RedisClientLike, { signal }: RedisTimeLimit, ...commands: string[][]) => {
    const options = chained(signal(), Symbol("sessions"));
    return Promise.all(commands.map((args) => one.sendCommand(args, options)));
  };

  if ("masters" in client) {
    const sendTo = (key: string, args: string[], { signal }: RedisTimeLimit) =>
      client.sendCommand(key, false, args, withdrawable(signal()));
    const pair: RedisExecutor["pair"] = async (key, first, second, limit) => {
      const sendBoth = async () => sendChained(await client.getNodeClientForKey(key), limit, first, second);
      try {
        return await sendBoth();
      } catch (error) {
        // The key has moved, and nothing was written. A command sent through the cluster teaches the client the new
        // place.
        if (!hasCode(error, "MOVED", "ASK")) throw error;
        await sendTo(key, ["EXISTS", key], limit);
        return sendBoth();
      }
    };
    return {
      send: sendTo,
      ...("getNodeClientForKey" in client && { pair }),
      async masters() {
        // Without this check, a client that is not connected would look like an empty cluster.
        if (client.masters.length === 0)
          throw new DriverUnavailableError(
            "redis: the cluster's client is not connected. Await client.connect() before the first call.",
          );
        const nodes = [...client.masters].sort((a, b) => (a.address < b.address ? -1 : 1));
        return Promise.all(
          nodes.map(async (node) => {
            const connected = await client.nodeClient(node);
            const send: Send = (args, { signal }) => connected.sendCommand(args, withdrawable(signal()));
            return { address: node.address, send };
          }),
        );
      },
    };
  }

  if ("execute" in client) {
    const send: Send = (args, { signal }) => client.sendCommand(args, withdrawable(signal()));
    return {
      send: (_, args, limit) => send(args, limit),
      pair: (_, first, second, limit) => client.execute((one) => sendChained(one, limit, first, second)),
      masters: async () => [{ address: "server", send }],
    };
  }

  const shared = sharedSignals(timeout);
  const send: Send = (args, { left, signal }) =>
    client.sendCommand(args, withdrawable(shared(left()) ?? signal()));
  return {
    send: (_, args, limit) => send(args, limit),
    pair: (_, first, second, limit) => sendChained(client, limit, first, second),
    masters: async () => [{ address: "server", send }],
  };
}

/**
 * Leases a connection: only there does a Sentinel client send two commands to the same server. A lease costs the client
 * about 25 ms, and the client may have only one to lend. So all drivers on one client share one lease, and keep it.
 */
function lease(client: RedisSentinelLike): Promise<RedisSentinelLeaseLike> {
  const kept = leases.get(client) ?? client.acquire();
  leases.set(client, kept);
  kept.catch(() => leases.delete(client));
  return kept;
}
const leases = new WeakMap<RedisSentinelLike, Promise<RedisSentinelLeaseLike>>();

/**
 * One signal for all commands of a twentieth of the timeout, because a signal costs as much as sending a command. A
 * command that begins late in that span ends a little early, and none ends late. Returns `undefined` for a command that
 * has less time than that.
 */
function sharedSignals(timeout: number): (left: number) => AbortSignal | undefined {
  const moment = timeout / 20;
  let signal: AbortSignal | undefined;
  let begun = Number.NEGATIVE_INFINITY;
  return (left) => {
    if (left < timeout - moment) return undefined;
    const now = performance.now();
    if (now >= begun + moment) {
      begun = now;
      signal = AbortSignal.timeout(Math.max(Math.floor(timeout - moment), 1));
      // Every command of the span adds a listener; Node would take them for a leak and warn.
      setMaxListeners(0, signal);
    }
    return signal;
  };
}

/**
 * A signal that is aborted from its second reading on. The client reads it before each try, so a command has one try.
 */
function once(signal: AbortSignal): AbortSignal {
  let tries = 0;
  return Object.defineProperty(AbortSignal.any([signal]), "aborted", {
    get: () => tries++ > 0 || signal.aborted,
  });
}
