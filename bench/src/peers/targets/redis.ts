import { randomUUID } from "node:crypto";
import { createClient } from "redis";
import type { Gate } from "../peer.ts";

/** Opens a client of node-redis, as the README of connect-redis does. */
export const openRedis = (url: string): Promise<Redis> => createClient({ url }).connect();

export type Redis = ReturnType<
  typeof createClient<Record<never, never>, Record<never, never>, Record<never, never>, 3>
>;

/** The same client, with each command behind the gate, and a prefix for one case. */
export function gatedRedis(
  redis: Redis,
  gate: Gate,
): { client: Redis; prefix: string; clear(): Promise<void> } {
  const prefix = `peers:${randomUUID()}:`;
  const keys = new Set<string>();
  const client = new Proxy(redis, {
    get(target, name) {
      const command: unknown = Reflect.get(target, name);
      if (typeof command !== "function") return command;
      return async (...args: readonly unknown[]) => {
        const key = String([args[0]].flat()[0]);
        keys.add(key);
        if (name === "get") await gate.read();
        else if (name === "del") await gate.destroy(key);
        else await gate.write(key);
        return Reflect.apply(command, target, args);
      };
    },
  });
  const clear = async (): Promise<void> => {
    if (keys.size > 0) await redis.del([...keys]);
  };
  return { client, prefix, clear };
}
