import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import {
  type createClient,
  type createClientPool,
  type createCluster,
  type createSentinel,
  RESP_TYPES,
} from "redis";
import { expect, expectTypeOf, test } from "vitest";
import {
  type AnyRedisClientLike,
  fromUrl,
  type RedisClientLike,
  type RedisClientPoolLike,
  type RedisClusterLike,
  type RedisDriverOptions,
  type RedisSentinelLike,
  redisDriver,
} from "../src/index.ts";

test("every client of the package redis fits", () => {
  expectTypeOf<ReturnType<typeof createClient>>().toExtend<RedisClientLike>();
  expectTypeOf<ReturnType<typeof createClientPool>>().toExtend<RedisClientPoolLike>();
  expectTypeOf<ReturnType<typeof createCluster>>().toExtend<RedisClusterLike>();
  expectTypeOf<ReturnType<typeof createSentinel>>().toExtend<RedisSentinelLike>();
  expectTypeOf<RedisDriverOptions["client"]>().toEqualTypeOf<AnyRedisClientLike>();
});

test("the driver lists and provisions, and that of fromUrl closes", () => {
  expectTypeOf(redisDriver).returns.toEqualTypeOf<ListingDriver & ProvisionedDriver>();
  expectTypeOf(fromUrl).returns.resolves.toExtend<ListingDriver & ProvisionedDriver & ClosableDriver>();
  expectTypeOf(redisDriver).returns.not.toExtend<ClosableDriver>();
});

test("the number that stands for the client's type of maps is still that", () => {
  expect(RESP_TYPES.MAP).toBe(37);
});

test("wrong programs do not compile", () => {
  const client: RedisClientLike = { sendCommand: async () => undefined };
  // @ts-expect-error a client is needed
  const none: RedisDriverOptions = {};
  // @ts-expect-error a duration has a unit
  const timeless: RedisDriverOptions = { client, timeout: "2" };
  // @ts-expect-error no such option
  const ttl: RedisDriverOptions = { client, ttl: 5 };
  expect([none, timeless, ttl]).toHaveLength(3);
});
