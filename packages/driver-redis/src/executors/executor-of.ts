import type { RedisExecutor } from "../executor.ts";
import { type BunRedisLike, bunRedis } from "./bun.ts";
import { type AnyGlideLike, glide } from "./glide.ts";
import { ioredis } from "./ioredis.ts";
import { ioredisCluster } from "./ioredis-cluster.ts";
import type { AnyIoredisLike } from "./ioredis-like.ts";
import { type AnyNodeRedisLike, nodeRedis } from "./node-redis.ts";
import { type UpstashRedisLike, upstash } from "./upstash.ts";

/** Every client that the driver takes, and an executor that an application writes itself. */
export type AnyRedisClientLike =
  | AnyNodeRedisLike
  | AnyIoredisLike
  | AnyGlideLike
  | UpstashRedisLike
  | BunRedisLike
  | RedisExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
export const MUST =
  "a client of redis, ioredis, iovalkey, @valkey/valkey-glide or @upstash/redis, Bun's RedisClient, or a RedisExecutor";
export const FORMS = ["sendCommand()", "send() bufferedAmount", "send() masters()"] as const;
export const ROWS = ["redis", "ioredis", "@valkey/valkey-glide", "@upstash/redis", "bun redis"] as const;

/**
 * The executor for a client. Only names decide, so a wrapped or traced client fits, too.
 *
 * @param timeout The driver's timeout, in milliseconds.
 * @param pairs Whether `pair` will be used.
 */
export function executorOf(client: AnyRedisClientLike, timeout: number, pairs: boolean): RedisExecutor {
  if ("defineCommand" in client) return "nodes" in client ? ioredisCluster(client) : ioredis(client);
  if ("customCommand" in client) return glide(client, timeout);
  if ("pipeline" in client) return upstash(client);
  if ("bufferedAmount" in client) return bunRedis(client);
  if ("send" in client) return client;
  return nodeRedis(client, timeout, pairs);
}
