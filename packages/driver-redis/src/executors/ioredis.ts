import { SessionConfigError } from "@sessions/core";
import { hasCode } from "../errors.ts";
import type { RedisExecutor, RedisTimeLimit } from "../executor.ts";

// The few members of ioredis and iovalkey that the driver uses.

/** What `call()` makes of a name and its arguments, and `sendCommand()` sends. */
export interface IoredisCommandLike {
  readonly promise: Promise<unknown>;
  reject(error: Error): void;
  getSlot(): number | null;
  toWritable(socket: object): string | Uint8Array;
}

/** A client of one server, or of Sentinel: `new Redis()`. */
export interface IoredisLike {
  readonly status: string;
  readonly options: object;
  /** Missing in a cluster's client. */
  readonly mode?: string;
  call(name: string, args: string[]): unknown;
  sendCommand(command: IoredisCommandLike): unknown;
  defineCommand(name: string, definition: { lua: string }): void;
  connect(): Promise<unknown>;
  on(event: "ready" | "close", listener: () => void): unknown;
  off(event: "ready" | "close", listener: () => void): unknown;
}

/** A client of a cluster: `new Cluster()`. */
export interface IoredisClusterLike extends Omit<IoredisLike, "sendCommand"> {
  sendCommand(command: IoredisCommandLike, stream?: undefined, node?: object): unknown;
  nodes(role: "master"): IoredisNodeLike[];
}

/** A server of a cluster. */
export interface IoredisNodeLike extends IoredisLike {
  readonly options: { readonly host?: string | undefined; readonly port?: number | undefined };
}

/** Any client of ioredis or iovalkey. */
export type AnyIoredisLike = IoredisLike | IoredisClusterLike;

/** Written where a command must not be: the client has counted on a reply already. */
const PING = "*1\r\n$4\r\nPING\r\n";

/** As often as the client itself, which picks any server where it does not know the right one. */
const REDIRECTIONS = 16;

/** A command that is written once at most, and never after the signal has aborted. */
interface Once {
  readonly command: IoredisCommandLike;
  /** Allows one more try after the server's refusal. */
  again(): void;
}

/**
 * Runs commands on any client of ioredis or iovalkey. Such a client repeats what a broken connection left without a
 * reply, even where the server has executed it: a compare-and-set would conflict with itself. And it keeps what it
 * cannot send for later. So each command guards itself.
 */
export function ioredis(client: AnyIoredisLike): RedisExecutor {
  if (client.mode !== undefined && client.mode !== "normal")
    throw new SessionConfigError(
      `client must be one that sends commands, and this one is a ${client.mode}: give the driver client.duplicate()`,
    );
  // Only `call()` makes commands. On this object it makes one without sending it, and with neither `keyPrefix`, which
  // SCAN would not know, nor a pipeline, which repeats as a whole.
  const maker: { call(name: string, args: string[]): IoredisCommandLike } = Object.create(client, {
    options: { value: { ...client.options, keyPrefix: "", enableAutoPipelining: false } },
    sendCommand: { value: (command: IoredisCommandLike) => command },
  });

  // In capitals, because a cluster's client takes only names in small letters for reads that a replica may answer.
  const make = ([name = "", ...args]: string[], { isOver }: RedisTimeLimit): Once => {
    const command = maker.call(name, args);
    const { reject, toWritable } = command;
    let tries = 1;
    command.toWritable = (socket) => {
      if (tries-- > 0 && !isOver()) return toWritable.call(command, socket);
      reject(new Error("The connection broke, or the time was over, before the server replied"));
      return PING;
    };
    return { command, again: () => tries++ };
  };

  const ready = whenReady(client);

  if (!("nodes" in client)) {
    const sendAll = async (limit: RedisTimeLimit, ...commands: string[][]) => {
      await ready();
      return Promise.all(
        commands.map(async (args) => {
          const { command } = make(args, limit);
          client.sendCommand(command);
          return replyTo(command);
        }),
      );
    };
    const send = async (args: string[], limit: RedisTimeLimit) => (await sendAll(limit, args))[0];
    return {
      send: (_, args, limit) => send(args, limit),
      pair: (_, first, second, limit) => sendAll(limit, first, second),
      masters: async () => [{ address: "server", send }],
    };
  }

  const slotOf = (key: string) => maker.call("exists", [key]).getSlot();

  const send: RedisExecutor["send"] = async (key, args, limit) => {
    await ready();
    const { command, again } = make(args, limit);
    // iovalkey finds the key only of names in small letters.
    const slot = slotOf(key);
    command.getSlot = () => slot;
    const fail = command.reject;
    client.sendCommand(command);
    // From here on, this is the client's own handler, which follows redirections, and repeats after a lost connection.
    const handle = command.reject;
    command.reject = (error) => {
      if (!hasCode(error, "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN")) return fail(error);
      again();
      handle(error);
    };
    return replyTo(command);
  };

  return {
    send,
    async pair(key, first, second, limit) {
      const sendBoth = () => {
        // The client puts the connection of the first command here, and takes it for the second.
        const node = { slot: slotOf(key), redis: undefined };
        return Promise.all(
          [first, second].map(async (args) => {
            const { command } = make(args, limit);
            client.sendCommand(command, undefined, node);
            return replyTo(command);
          }),
        );
      };
      await ready();
      for (let tries = REDIRECTIONS; ; tries--) {
        try {
          return await sendBoth();
        } catch (error) {
          // The key is elsewhere, and nothing was written. This teaches the client the place.
          if (tries === 0 || !hasCode(error, "MOVED", "ASK")) throw error;
          await send(key, ["EXISTS", key], limit);
        }
      }
    },
    async masters() {
      await ready();
      const nodes = client.nodes("master").map((node) => {
        const { host = "", port = 0 } = node.options;
        return { address: `${host}:${port}`, send: ioredis(node).send };
      });
      return nodes
        .sort((a, b) => (a.address < b.address ? -1 : 1))
        .map(({ address, send }) => ({ address, send: (args, limit) => send("", args, limit) }));
    },
  };
}

/** The reply to a command. ioredis puts the command on its errors, and so the texts of a session: not on ours. */
async function replyTo({ promise }: IoredisCommandLike): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Error) Reflect.deleteProperty(error, "command");
    throw error;
  }
}

/**
 * Waits for the end of the attempt to connect that is under way: what the client cannot send, it would keep until the
 * server is back. A client that connects at its first command begins here.
 */
function whenReady(client: AnyIoredisLike): () => Promise<void> {
  let waiting: Promise<void> | undefined;
  return async () => {
    if (client.status === "ready") return;
    if (client.status === "wait") client.connect().catch(() => {});
    if (client.status !== "end")
      waiting ??= new Promise((resolve) => {
        const end = () => {
          client.off("ready", end);
          client.off("close", end);
          waiting = undefined;
          resolve();
        };
        client.on("ready", end);
        client.on("close", end);
      });
    await waiting;
    if (client.status !== "ready") throw new Error("The client is not connected");
  };
}
