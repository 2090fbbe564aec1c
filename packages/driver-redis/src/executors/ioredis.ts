import { SessionConfigError } from "@sessions/core";
import type { RedisExecutor, RedisMaster, RedisTimeLimit } from "../executor.ts";
import { commandsOf, replyTo } from "./ioredis-command.ts";

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
  nodes(role: "master" | "slave"): IoredisNodeLike[];
  /** Asks the servers again which of them has which keys. */
  refreshSlotsCache(): void;
}

/** A server of a cluster. */
export interface IoredisNodeLike extends IoredisLike {
  /** Its connection. */
  readonly stream: object;
  readonly options: { readonly host?: string | undefined; readonly port?: number | undefined };
}

/** Any client of ioredis or iovalkey. */
export type AnyIoredisLike = IoredisLike | IoredisClusterLike;

/**
 * Runs commands on a client of ioredis or iovalkey.
 *
 * @throws SessionConfigError where the client has subscribed, or reads from a replica.
 */
export function ioredis(client: IoredisLike): RedisExecutor {
  const { mode = "normal" } = client;
  if (mode !== "normal")
    throw new SessionConfigError(
      `client must be one that sends commands, and this one is a ${mode}: give the driver client.duplicate()`,
    );
  const { role, readOnly }: { role?: unknown; readOnly?: unknown } = client.options;
  if (role === "slave" || readOnly === true)
    throw new SessionConfigError(
      "client must be one of a master, and this one is set to a replica: make it without role and readOnly",
    );
  const { make, ready } = commandsOf(client);
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
  const send: RedisMaster["send"] = async (args, limit) => (await sendAll(limit, args))[0];
  return {
    send: (_, args, limit) => send(args, limit),
    pair: (_, first, second, limit) => sendAll(limit, first, second),
    masters: async () => [{ address: "server", send }],
  };
}
