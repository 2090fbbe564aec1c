import { fromUrl } from "@sessions/driver-redis";
import { createClient } from "redis";
import { type Backend, FILLER, rows } from "../backend.ts";

export const redis: Backend = {
  name: "redis",
  service: "redis",
  async open(url) {
    const client = createClient({ url });
    await client.connect();
    const key = (row: number): string => `bench_bare:${row}`;
    await Promise.all(rows.map((row) => client.hSet(key(row), { "filler/x": FILLER, "a/x": "" })));
    const driver = await fromUrl(url, { prefix: "bench:" });
    return {
      driver,
      bare: {
        load: (row) => client.hGetAll(key(row)),
        commit: (row, text) => client.hSet(key(row), "a/x", text),
      },
      async close() {
        await driver.teardown();
        await client.del(rows.map(key));
        await Promise.all([client.close(), driver.close()]);
      },
    };
  },
};
