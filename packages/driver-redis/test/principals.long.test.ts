import { randomBytes } from "node:crypto";
import { sweepBesideCommits, withService } from "@sessions/driver-tests";
import { expect, test } from "vitest";
import { redisDriver } from "../src/index.ts";
import { begin, connect, ownServer } from "./support.ts";

await withService("redis", () => {
  test("100,000 dead ids among 200,000 records and ids go by sweeps, beside commits, and no commit is lost", async () => {
    const { client, url } = await ownServer([
      "--slowlog-log-slower-than",
      "1000",
      "--slowlog-max-len",
      "1000",
    ]);
    const driver = redisDriver({ client });
    const live: string[] = [];
    const dead = 100_000;
    for (let done = 0; done < dead; done += 1000) {
      const made = Array.from({ length: 1000 }, () => begin(driver));
      live.push(...(await Promise.all(made)));
      // Ten sessions each for ten thousand users: what their records left behind when they went, long ago.
      const left = Array.from({ length: 100 }, (_, i) => {
        const key = `sessions:@${`${done + i}`.padStart(43, "0")}.`;
        const members = Array.from({ length: 10 }, () => ({
          score: 1,
          value: randomBytes(16).toString("hex"),
        }));
        return client.zAdd(key, members);
      });
      await Promise.all(left);
    }
    await client.sendCommand(["SLOWLOG", "RESET"]);
    const writer = redisDriver({ client: await connect(url) });
    // A sweep answers how many records it removed, and here that is none: Redis removes them. So the passes are counted.
    const passes = { count: 0 };
    const counting = {
      ...driver,
      sweep: async (range: Parameters<typeof driver.sweep>[0]) => {
        passes.count++;
        return driver.sweep(range);
      },
    };
    while ((await client.keys("*@*")).length > 0)
      await sweepBesideCommits({
        sweeper: counting,
        writer,
        live: live.slice(0, 1000),
        expired: 0,
        batch: 1000,
      });
    expect(await client.dbSize()).toBe(live.length);
    const slow = await client.sendCommand<[number, number, number, string[]][]>(["SLOWLOG", "GET", "1000"]);
    const longest = slow
      .filter(([, , , [command = ""]]) => command.toUpperCase() !== "KEYS")
      .reduce((most, [, , micros]) => Math.max(most, micros), 0);
    console.log(
      `${dead} dead ids went in ${passes.count} sweeps; the longest command took ${longest / 1000} ms by the server's slow log`,
    );
  });
});
