import type { RedisExecutor, RedisMaster } from "../executor.ts";

/** The few members of Bun's `RedisClient` that the driver uses. */
export interface BunRedisLike {
  readonly connected: boolean;
  readonly bufferedAmount: number;
  connect(): Promise<unknown>;
  send(command: string, args: string[]): Promise<unknown>;
}

/** Runs commands on Bun's own client of Redis. It has one connection, and fails what a broken one left without a reply. */
export function bunRedis(client: BunRedisLike): RedisExecutor {
  const send: RedisMaster["send"] = async ([name = "", ...args], { isOver }) => {
    // What the client cannot send, it would keep until the server is back.
    if (!client.connected) await client.connect();
    if (isOver()) throw new Error("The time was over before the command could be sent");
    return client.send(name, args);
  };
  return {
    send: (_, args, limit) => send(args, limit),
    masters: async () => [{ address: "server", send }],
  };
}
