import { type RedisDriverOptions, redisDriver } from "@sessions/driver-redis";
import { startUpstashFront } from "@sessions/test-services/upstash-front";
import { Redis as Upstash } from "@upstash/redis";
import { GlideClient } from "@valkey/valkey-glide";
import { Redis as Ioredis } from "ioredis";
import { Redis as Iovalkey } from "iovalkey";
import { createClient } from "redis";
import { EXPIRY, FILLER, rows } from "../backend.ts";
import { COMMIT } from "../backends/redis.ts";
import type { Client } from "./client.ts";

const keyOf = (row: number): string => `bench_client:${row}`;

/** A client by hand: a command as a list, one that reads a hash into an object, and a script by its digest. */
interface Connected {
  readonly client: RedisDriverOptions["client"];
  run(command: string[]): Promise<unknown>;
  hgetall(key: string): Promise<unknown>;
  evalsha(digest: string, key: string, args: string[]): Promise<unknown>;
  close(): unknown;
}

const ofRedis = (name: string, packages: string[], connect: (url: string) => Promise<Connected>): Client => ({
  ...{ driver: "redis", name, packages, service: "redis" },
  async open(url) {
    const { client, run, hgetall, evalsha, close } = await connect(url);
    for (const row of rows)
      await run(["HSET", keyOf(row), "v", "1", "e", `${EXPIRY}`, "filler/x", FILLER, "a/x", ""]);
    const digest = String(await run(["SCRIPT", "LOAD", COMMIT]));
    return {
      driver: (namespace, timeout) => redisDriver({ client, prefix: `${namespace}:`, timeout }),
      bare: {
        load: (row) => hgetall(keyOf(row)),
        commit: (row, text) => evalsha(digest, keyOf(row), [`${Date.now()}`, "a/x", text]),
      },
      close: async () => close(),
    };
  },
});

/** ioredis and its fork have one interface. */
const likeIoredis = (client: Ioredis | Iovalkey): Connected => {
  client.on("error", () => {});
  return {
    client,
    run: ([name = "", ...args]) => client.call(name, args),
    hgetall: (key) => client.hgetall(key),
    evalsha: (digest, key, args) => client.evalsha(digest, 1, key, ...args),
    close: () => client.disconnect(),
  };
};

const direct: readonly Client[] = [
  ofRedis("redis", ["redis"], async (url) => {
    const client = createClient({ url });
    client.on("error", () => {});
    await client.connect();
    return {
      client,
      run: (command) => client.sendCommand(command),
      hgetall: (key) => client.hGetAll(key),
      evalsha: (digest, key, args) => client.evalSha(digest, { keys: [key], arguments: args }),
      close: () => client.destroy(),
    };
  }),
  ofRedis("ioredis", ["ioredis"], async (url) => likeIoredis(new Ioredis(url, { retryStrategy: () => 20 }))),
  ofRedis("iovalkey", ["iovalkey"], async (url) =>
    likeIoredis(new Iovalkey(url, { retryStrategy: () => 20 })),
  ),
  ofRedis("@valkey/valkey-glide", ["@valkey/valkey-glide"], async (url) => {
    const { hostname: host, port } = new URL(url);
    const client = await GlideClient.createClient({
      addresses: [{ host, port: Number(port) }],
      connectionBackoff: { numberOfRetries: 5, factor: 10, exponentBase: 1 },
    });
    return {
      client,
      run: (command) => client.customCommand(command),
      hgetall: (key) => client.hgetall(key),
      evalsha: (digest, key, args) => client.customCommand(["EVALSHA", digest, "1", key, ...args]),
      close: () => client.close(),
    };
  }),
];

/** The front holds on to a client of its own, and lends its URL with the token as the password. */
const upstash: Client = {
  ...ofRedis("@upstash/redis, over HTTP", ["@upstash/redis"], async (where) => {
    const { origin: url, password: token } = new URL(where);
    const client = new Upstash({ url, token, enableTelemetry: false });
    return {
      client,
      async run(command) {
        const headers = { authorization: `Bearer ${token}` };
        const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(command) });
        return Object(await response.json()).result;
      },
      hgetall: (key) => client.hgetall(key),
      evalsha: (digest, key, args) => client.evalsha(digest, [key], args),
      close: () => {},
    };
  }),
  async front(server) {
    const behind = createClient({ url: server, RESP: 2 });
    await behind.connect();
    const { url, token, close } = await startUpstashFront((command) => behind.sendCommand(command));
    return {
      url: url.replace("://", `://:${token}@`),
      async close() {
        await close();
        behind.destroy();
      },
    };
  },
};

export const redisClients: readonly Client[] = [...direct, upstash];
