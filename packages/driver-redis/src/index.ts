/** Keeps sessions in Redis, Redis Cluster, behind Sentinel, or in Valkey. */
export { type RedisDriverOptions, redisDriver } from "./driver.ts";
export type { RedisExecutor, RedisMaster, RedisTimeLimit } from "./executor.ts";
export type { BunRedisLike } from "./executors/bun.ts";
export type { AnyRedisClientLike } from "./executors/executor-of.ts";
export type {
  GlideClientLike,
  GlideClusterClientLike,
  GlideCommandOptions,
  GlideRoute,
} from "./executors/glide.ts";
export type {
  IoredisClusterLike,
  IoredisCommandLike,
  IoredisLike,
  IoredisNodeLike,
} from "./executors/ioredis-like.ts";
export type {
  RedisClientLike,
  RedisClientPoolLike,
  RedisClusterLike,
  RedisCommandOptions,
  RedisNodeLike,
  RedisSentinelLeaseLike,
  RedisSentinelLike,
} from "./executors/node-redis.ts";
export type { UpstashRedisLike } from "./executors/upstash.ts";
export { fromUrl, type RedisUrlOptions } from "./from-url.ts";
