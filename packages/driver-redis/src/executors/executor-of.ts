import type { RedisExecutor } from "../executor.ts";
import { type AnyNodeRedisLike, nodeRedis } from "./node-redis.ts";

/** Every client that the driver takes, and an executor that an application writes itself. */
export type AnyRedisClientLike = AnyNodeRedisLike | RedisExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
export const MUST = "a client of the package redis";
export const FORMS = ["sendCommand()", "send() masters()"] as const;
export const ROWS = ["redis"] as const;

/**
 * The executor for a client. Only names decide: a wrapped or traced client fits, too.
 *
 * @param timeout The driver's timeout, in milliseconds.
 * @param pairs Whether `pair` will be used.
 */
export function executorOf(client: AnyRedisClientLike, timeout: number, pairs: boolean): RedisExecutor {
  if ("send" in client) return client;
  return nodeRedis(client, timeout, pairs);
}
