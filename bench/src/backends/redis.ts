import { fromUrl } from "@sessions/driver-redis";
import { createClient } from "redis";
import { type Backend, EXPIRY, FILLER, rows } from "../backend.ts";

/** HSET alone would bring back a record that has ended. */
export const COMMIT = `local e = redis.call('HGET', KEYS[1], 'e')
if not e or tonumber(e) <= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'v', 1)`;

export const redis: Backend = {
  name: "redis",
  service: "redis",
  async open(url) {
    const client = createClient({ url });
    await client.connect();
    const key = (row: number): string => `bench_bare:${row}`;
    const record = { v: "1", e: `${EXPIRY}`, "filler/x": FILLER, "a/x": "" };
    await Promise.all(rows.map((row) => client.hSet(key(row), record)));
    const sha = await client.scriptLoad(COMMIT);
    const driver = await fromUrl(url, { prefix: "bench:" });
    return {
      driver,
      bare: {
        load: (row) => client.hGetAll(key(row)),
        commit: (row, text) =>
          client.evalSha(sha, { keys: [key(row)], arguments: [`${Date.now()}`, "a/x", text] }),
      },
      async close() {
        await driver.teardown();
        await client.del(rows.map(key));
        await Promise.all([client.close(), driver.close()]);
      },
    };
  },
};
