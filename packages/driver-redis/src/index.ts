/** Keeps sessions in Redis, Redis Cluster, behind Sentinel, or in Valkey. */
export type {
  AnyRedisClientLike,
  RedisClientLike,
  RedisClientPoolLike,
  RedisClusterLike,
  RedisCommandOptions,
  RedisNodeLike,
  RedisSentinelLeaseLike,
  RedisSentinelLike,
} from "./connection.ts";
export { type RedisDriverOptions, redisDriver } from "./driver.ts";
export { fromUrl, type RedisUrlOptions } from "./from-url.ts";
