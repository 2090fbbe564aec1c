import type { AnyRedisClientLike, RedisClientLike, RedisCommandOptions } from "./client.ts";

/** Sends one command and answers what the server does. */
export type Send = (args: string[]) => Promise<unknown>;

/** The four kinds of clients as one. Every command goes to a master, whatever the client was told to read from. */
export interface Connection {
  /** To the server that has that key. */
  send(key: string, args: string[]): Promise<unknown>;
  /** Two commands, in turn and on one connection, or not at all: WAIT speaks for what its own connection wrote. */
  sendPair(key: string, first: string[], second: string[]): Promise<unknown[]>;
  /** Every server that has keys, by its address, in an order that does not change. */
  masters(): Promise<{ address: string; send: Send }[]>;
}

/** RESP3's type of maps, decoded as a Map: names such as `0/0` or `__proto__/x` are data, not properties. */
const MAPS = { 37: Map } as const;

/** @param timeout How long a command may wait to be sent, in milliseconds: none is sent long after its caller left. */
export function connectionOf(client: AnyRedisClientLike, timeout: number): Connection {
  const options: RedisCommandOptions = { timeout, typeMapping: MAPS };
  const pair = (chained: Send, first: string[], second: string[]) =>
    Promise.all([chained(first), chained(second)]);
  // Once the connection breaks, what is left of a chain is not sent on the next.
  const chainOn = (one: RedisClientLike): Send => {
    const chainId = Symbol("sessions");
    return (args) => one.sendCommand(args, { ...options, chainId });
  };

  if ("getMasterNode" in client) {
    const once = () => ({ ...options, abortSignal: signalForOneTry(timeout) });
    return {
      send: (_, args) => client.sendCommand(false, args, once()),
      sendPair: (_, first, second) =>
        client.use((lease) => {
          const chainId = Symbol("sessions");
          return pair((args) => lease.sendCommand(false, args, { ...once(), chainId }), first, second);
        }),
      masters: async () => [{ address: "master", send: (args) => client.sendCommand(false, args, once()) }],
    };
  }
  if ("masters" in client)
    return {
      send: (key, args) => client.sendCommand(key, false, args, options),
      async sendPair(key, first, second) {
        try {
          const node = await client.getNodeClientForKey(key);
          return await pair(chainOn(node), first, second);
        } catch (error) {
          // The key has another home, and nothing was done. A command of its own makes the client learn where.
          if (!(error instanceof Error) || !/^(MOVED|ASK) /.test(error.message)) throw error;
          await client.sendCommand(key, false, ["EXISTS", key], options);
          const node = await client.getNodeClientForKey(key);
          return pair(chainOn(node), first, second);
        }
      },
      async masters() {
        const nodes = [...client.masters].sort((a, b) => (a.address < b.address ? -1 : 1));
        return Promise.all(
          nodes.map(async (node) => {
            const connected = await client.nodeClient(node);
            return { address: node.address, send: (args) => connected.sendCommand(args, options) };
          }),
        );
      },
    };
  return {
    send: (_, args) => client.sendCommand(args, options),
    sendPair: (_, first, second) =>
      "execute" in client
        ? client.execute((one) => pair(chainOn(one), first, second))
        : pair(chainOn(client), first, second),
    masters: async () => [{ address: "server", send: (args) => client.sendCommand(args, options) }],
  };
}

/**
 * A Sentinel client sends a command again when its connection broke, whether or not it was done; a compare-and-set
 * would conflict with itself, and an old value overwrite a newer one. It asks the signal before each try.
 */
function signalForOneTry(timeout: number): AbortSignal {
  const { signal } = new AbortController();
  const end = Date.now() + timeout;
  let tried = false;
  return Object.defineProperty(signal, "aborted", {
    get() {
      const refused = tried || Date.now() > end;
      tried = true;
      return refused;
    },
  });
}
