import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import { DriverUnavailableError } from "@sessions/core";
import type {
  AnyRedisClientLike,
  RedisClientLike,
  RedisCommandOptions,
  RedisSentinelLeaseLike,
  RedisSentinelLike,
} from "./client.ts";

/** The limits of one call. */
export interface Limits {
  /** How many milliseconds the call has from its beginning. */
  readonly time: number;
  /** Aborted once the caller has been told that there was no answer: what was not sent by then never is. */
  signal(): AbortSignal;
}

/** Sends one command and returns the server's answer. */
type Send = (args: string[], limits: Limits) => Promise<unknown>;

/** The four kinds of clients as one. Every command goes to a master, whatever the client was told to read from. */
export interface Connection {
  /** To the server that has that key. */
  send(key: string, args: string[], limits: Limits): Promise<unknown>;
  /** Two commands, in turn and on one connection, or not at all: WAIT speaks for what its own connection wrote. */
  sendPair(key: string, first: string[], second: string[], limits: Limits): Promise<unknown[]>;
  /** Every server that has keys, by its address, in an order that does not change. */
  masters(): Promise<Master[]>;
}

/** A server that has keys. */
export interface Master {
  readonly address: string;
  readonly send: Send;
}

/** RESP3's type of maps, decoded as a Map: names such as `0/0` or `__proto__/x` are data, not properties. */
const MAPS = { 37: Map } as const;

/**
 * A command that its signal takes out of the client's queue. The client's own `timeout` would count from the moment at
 * which the command has a connection, and so end after the call.
 */
const withdrawable = (abortSignal: AbortSignal): RedisCommandOptions => ({
  timeout: 0,
  typeMapping: MAPS,
  abortSignal,
});

/** Once the connection breaks, what is left of a chain is not sent on the next. */
const chained = (abortSignal: AbortSignal, chainId: symbol): RedisCommandOptions => ({
  ...withdrawable(abortSignal),
  chainId,
});

/**
 * @param timeout The driver's timeout in milliseconds.
 * @param pairs Whether `sendPair` will be used.
 */
export function connectionOf(client: AnyRedisClientLike, timeout: number, pairs: boolean): Connection {
  // Before the others: a Sentinel client sends a command again when its connection broke, whether or not it was done. A
  // compare-and-set would conflict with itself, and an old text overwrite a newer one. So each has one try.
  if ("getMasterNode" in client) {
    const sendAll = async ({ signal }: Limits, ...commands: string[][]) => {
      const one = pairs || leases.has(client) ? await leaseOf(client) : client;
      const chain = Symbol("sessions");
      return Promise.all(
        commands.map((args) => one.sendCommand(false, args, chained(once(signal()), chain))),
      );
    };
    const send: Send = async (args, limits) => (await sendAll(limits, args))[0];
    return {
      send: (_, args, limits) => send(args, limits),
      sendPair: (_, first, second, limits) => sendAll(limits, first, second),
      masters: async () => [{ address: "master", send }],
    };
  }

  const sendChained = (one: RedisClientLike, { signal }: Limits, ...commands: string[][]) => {
    const options = chained(signal(), Symbol("sessions"));
    return Promise.all(commands.map((args) => one.sendCommand(args, options)));
  };

  if ("masters" in client) {
    const sendTo = (key: string, args: string[], { signal }: Limits) =>
      client.sendCommand(key, false, args, withdrawable(signal()));
    return {
      send: sendTo,
      async sendPair(key, first, second, limits) {
        try {
          return await sendChained(await client.getNodeClientForKey(key), limits, first, second);
        } catch (error) {
          // The key has another home, and nothing was done. A command of its own makes the client learn where.
          if (!(error instanceof Error) || !/^(MOVED|ASK) /.test(error.message)) throw error;
          await sendTo(key, ["EXISTS", key], limits);
          return sendChained(await client.getNodeClientForKey(key), limits, first, second);
        }
      },
      async masters() {
        // Else it would look like a cluster that holds nothing.
        if (client.masters.length === 0)
          throw new DriverUnavailableError("redis: the cluster's client is not connected");
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
      send: (_, args, limits) => send(args, limits),
      sendPair: (_, first, second, limits) =>
        client.execute((one) => sendChained(one, limits, first, second)),
      masters: async () => [{ address: "server", send }],
    };
  }

  const shared = sharedSignals(timeout);
  const send: Send = (args, { time, signal }) =>
    client.sendCommand(args, withdrawable(shared(time) ?? signal()));
  return {
    send: (_, args, limits) => send(args, limits),
    sendPair: (_, first, second, limits) => sendChained(client, limits, first, second),
    masters: async () => [{ address: "server", send }],
  };
}

/**
 * A connection of a Sentinel client's own, for which alone it promises that two commands go the same way. To lease one
 * takes it some 25 ms of work, and it may have only one; so all drivers of a client share one, and keep it.
 */
function leaseOf(client: RedisSentinelLike): Promise<RedisSentinelLeaseLike> {
  const kept = leases.get(client) ?? client.acquire();
  leases.set(client, kept);
  kept.catch(() => leases.delete(client));
  return kept;
}
const leases = new WeakMap<RedisSentinelLike, Promise<RedisSentinelLeaseLike>>();

/**
 * One signal for all commands of a moment: a signal of its own costs each as much as sending it. It ends a little early
 * what began late in its moment, and nothing too late. `undefined` for a command that has less time.
 */
function sharedSignals(timeout: number): (time: number) => AbortSignal | undefined {
  const moment = timeout / 20;
  let signal: AbortSignal | undefined;
  let begun = Number.NEGATIVE_INFINITY;
  return (time) => {
    if (time < timeout - moment) return undefined;
    const now = performance.now();
    if (now >= begun + moment) {
      begun = now;
      signal = AbortSignal.timeout(Math.max(Math.floor(timeout - moment), 1));
      // As many as there are commands in a moment: no leak that Node should warn of.
      setMaxListeners(0, signal);
    }
    return signal;
  };
}

/** The client asks it before each try to send; so a command has one try. */
function once(signal: AbortSignal): AbortSignal {
  let tries = 0;
  return Object.defineProperty(AbortSignal.any([signal]), "aborted", {
    get: () => tries++ > 0 || signal.aborted,
  });
}
