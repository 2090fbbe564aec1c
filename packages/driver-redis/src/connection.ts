import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import type {
  AnyRedisClientLike,
  RedisClientLike,
  RedisCommandOptions,
  RedisSentinelLeaseLike,
  RedisSentinelLike,
} from "./client.ts";

/** Sends one command, within so many milliseconds, and answers what the server does. */
type Send = (args: string[], time?: number) => Promise<unknown>;

/** The four kinds of clients as one. Every command goes to a master, whatever the client was told to read from. */
export interface Connection {
  /** To the server that has that key; not sent any more after `time` milliseconds. */
  send(key: string, args: string[], time?: number): Promise<unknown>;
  /** Two commands, in turn and on one connection, or not at all: WAIT speaks for what its own connection wrote. */
  sendPair(key: string, first: string[], second: string[], time: number): Promise<unknown[]>;
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
 * @param timeout How long a command may wait to be sent, in milliseconds: none is sent long after its caller left.
 * @param pairs Whether `sendPair` will be used.
 */
export function connectionOf(client: AnyRedisClientLike, timeout: number, pairs: boolean): Connection {
  const timed = (time: number): RedisCommandOptions => ({ timeout: Math.ceil(time), typeMapping: MAPS });
  // Where a command waits for a connection first, its time begins here and not when it has one.
  const within = (time: number, tries: number): RedisCommandOptions => ({
    ...timed(time),
    abortSignal: signal(time, tries),
  });
  /** Once the connection breaks, what is left of a chain is not sent on the next. */
  const chain = (time: number, tries: number): RedisCommandOptions => ({
    ...within(time, tries),
    chainId: Symbol("sessions"),
  });

  // Before the others: a Sentinel client sends a command again when its connection broke, whether or not it was done. A
  // compare-and-set would conflict with itself, and an old text overwrite a newer one. So each has one try.
  if ("getMasterNode" in client) {
    const sendAll = async (chained: RedisCommandOptions, ...commands: string[][]) => {
      const one = pairs || leases.has(client) ? await leaseOf(client) : client;
      return Promise.all(commands.map((args) => one.sendCommand(false, args, chained)));
    };
    const send: Send = async (args, time = timeout) => (await sendAll(within(time, 1), args))[0];
    return {
      send: (_, args, time) => send(args, time),
      sendPair: (_, first, second, time) => sendAll(chain(time, 2), first, second),
      masters: async () => [{ address: "master", send }],
    };
  }

  const sendChained = (one: RedisClientLike, chained: RedisCommandOptions, ...commands: string[][]) =>
    Promise.all(commands.map((args) => one.sendCommand(args, chained)));

  if ("masters" in client)
    return {
      send: (key, args, time = timeout) => client.sendCommand(key, false, args, within(time, REDIRECTIONS)),
      async sendPair(key, first, second, time) {
        const chained = chain(time, REDIRECTIONS);
        try {
          return await sendChained(await client.getNodeClientForKey(key), chained, first, second);
        } catch (error) {
          // The key has another home, and nothing was done. A command of its own makes the client learn where.
          if (!(error instanceof Error) || !/^(MOVED|ASK) /.test(error.message)) throw error;
          await client.sendCommand(key, false, ["EXISTS", key], within(time, REDIRECTIONS));
          return sendChained(await client.getNodeClientForKey(key), chained, first, second);
        }
      },
      async masters() {
        const nodes = [...client.masters].sort((a, b) => (a.address < b.address ? -1 : 1));
        return Promise.all(
          nodes.map(async (node) => {
            const connected = await client.nodeClient(node);
            return { address: node.address, send: (args) => connected.sendCommand(args, timed(timeout)) };
          }),
        );
      },
    };

  if ("execute" in client)
    return {
      send: (_, args, time = timeout) => client.sendCommand(args, within(time, 1)),
      sendPair(_, first, second, time) {
        const chained = chain(time, 2);
        return client.execute((one) => sendChained(one, chained, first, second));
      },
      masters: async () => [
        { address: "server", send: (args) => client.sendCommand(args, within(timeout, 1)) },
      ],
    };

  const shared = sharedSignals(timeout);
  return {
    send: (_, args, time = timeout) => client.sendCommand(args, shared(time) ?? timed(time)),
    sendPair: (_, first, second, time) =>
      sendChained(client, { ...timed(time), chainId: Symbol("sessions") }, first, second),
    masters: async () => [{ address: "server", send: (args) => client.sendCommand(args, timed(timeout)) }],
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

/** More than a cluster's client follows. */
const REDIRECTIONS = 64;

/**
 * One signal for all commands of a moment. The client makes one of each `timeout` that it is given, and each costs a third
 * of a small command. It ends a little early what began late in its moment, and nothing too late. `undefined` for
 * a command that has less time left.
 */
function sharedSignals(timeout: number): (time: number) => RedisCommandOptions | undefined {
  const moment = timeout / 20;
  let options: RedisCommandOptions | undefined;
  let begun = Number.NEGATIVE_INFINITY;
  return (time) => {
    if (time < timeout - moment) return undefined;
    const now = performance.now();
    if (now >= begun + moment) {
      begun = now;
      const abortSignal = AbortSignal.timeout(Math.max(Math.floor(timeout - moment), 1));
      // As many as there are commands in a moment: no leak that Node should warn of.
      setMaxListeners(0, abortSignal);
      options = { timeout: 0, typeMapping: MAPS, abortSignal };
    }
    return options;
  };
}

/** The client asks it before each try to send: it is aborted once the tries or the time are used up. */
function signal(time: number, tries: number): AbortSignal {
  const end = Date.now() + time;
  let left = tries;
  return Object.defineProperty(new AbortController().signal, "aborted", {
    get: () => --left < 0 || Date.now() > end,
  });
}
