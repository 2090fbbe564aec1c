import { redisDriver } from "@sessions/driver-redis";
import { createClient } from "redis";
import { addOneByOne, type PopulationBackend } from "../population.ts";
import { findService } from "../services.ts";

// A listing reads all keys of a database, so populations of different sizes must not share one.
let databases = 0;

export const redis: PopulationBackend = {
  name: "redis",
  async open(table) {
    const found = await findService("redis");
    if ("missing" in found) return found.missing;
    const client = createClient({ url: found.url, database: ++databases % 16 });
    await client.connect();
    const driver = redisDriver({ client, prefix: `${table}:`, timeout: "30s" });
    return {
      driver,
      add: (template, added) => addOneByOne(driver, template, added),
      close: () => client.close(),
    };
  },
};
