/** The little that the driver uses of the package `redis`, for each of its kinds of clients. */

/** Options of one command. */
export interface RedisCommandOptions {
  readonly timeout?: number;
  readonly typeMapping?: { readonly 37: MapConstructor };
  readonly abortSignal?: AbortSignal;
  readonly chainId?: symbol;
}

/** What `createClient` answers: one connection to one server. */
export interface RedisClientLike {
  sendCommand(args: string[], options?: RedisCommandOptions): Promise<unknown>;
}

/** What `createClientPool` answers: several connections to one server. */
export interface RedisClientPoolLike extends RedisClientLike {
  execute<T>(task: (client: RedisClientLike) => Promise<T>): Promise<T>;
}

/** A server of a cluster, as its client names it. */
export interface RedisNodeLike {
  readonly address: string;
}

/** What `createCluster` answers. */
export interface RedisClusterLike {
  readonly masters: readonly RedisNodeLike[];
  nodeClient(node: RedisNodeLike): Promise<RedisClientLike>;
  getNodeClientForKey(key: string): Promise<RedisClientLike>;
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
    options?: RedisCommandOptions,
  ): Promise<unknown>;
}

/** What `createSentinel` hands out: its connection to the master. */
export interface RedisSentinelLeaseLike {
  sendCommand(
    isReadonly: boolean | undefined,
    args: string[],
    options?: RedisCommandOptions,
  ): Promise<unknown>;
}

/** What `createSentinel` answers. */
export interface RedisSentinelLike extends RedisSentinelLeaseLike {
  getMasterNode(): unknown;
  acquire(): Promise<RedisSentinelLeaseLike>;
}

/** Any client of the package `redis`: `createClient`, `createClientPool`, `createCluster` or `createSentinel`. */
export type AnyRedisClientLike = RedisClientLike | RedisClientPoolLike | RedisClusterLike | RedisSentinelLike;
