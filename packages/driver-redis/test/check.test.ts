import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { isProvisionedDriver, SessionConfigError } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import { startRedisServer } from "@sessions/test-services/redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { fromUrl, type RedisDriverOptions, redisDriver } from "../src/index.ts";
import { begin, connect, ownServer } from "./support.ts";

async function rulesInReadme(): Promise<string[]> {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  return /ACL SETUSER sessions (.*)/.exec(readme)?.[1]?.split(" ") ?? [];
}

await withService("redis", () => {
  describe("check names", () => {
    test("a setup that was not run, and nothing after it", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      expect(await driver.check()).toEqual([
        expect.stringMatching(/sessions:layout is missing: run setup\(\)/),
      ]);
      await driver.setup();
      expect(await driver.check()).toEqual([]);
      // It leaves nothing behind.
      expect(await client.keys("*")).toEqual(["sessions:layout"]);
    });

    test("a missing permission to write", async () => {
      const { client, url } = await ownServer();
      await redisDriver({ client }).setup();
      await client.aclSetUser("reader", ["on", ">secret", "~*", "+@all", "-@write"]);
      const reader = await connect(url, { username: "reader", password: "secret" });
      expect(await redisDriver({ client: reader }).check()).toEqual([
        expect.stringMatching(/no permission to write/),
      ]);
      await client.aclSetUser("elsewhere", ["on", ">secret", "~other:*", "+@all"]);
      const elsewhere = await connect(url, { username: "elsewhere", password: "secret" });
      const driver = redisDriver({ client: elsewhere });
      await expect(driver.check()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    });

    test("each missing permission of those that the README lists", async () => {
      const { client, url } = await ownServer();
      await redisDriver({ client }).setup();
      const commands = (await rulesInReadme()).filter((rule) => /^\+[a-z]+$/.test(rule));
      // The check reads its own key first; the rest are for teardown, waitReplicas, a cluster, and what is only advice.
      const others = ["+get", "+set", "+unlink", "+wait", "+exists", "+info", "+eval", "+evalsha"];
      const needed = commands.filter((command) => !others.includes(command));
      expect(needed.length).toBeGreaterThan(10);
      for (const command of needed) {
        const user = `without_${command.slice(1)}`;
        const rules = (await rulesInReadme()).filter((rule) => rule !== command);
        await client.aclSetUser(user, [...rules, ">secret"]);
        const own = await connect(url, { username: user, password: "secret" });
        const found = await redisDriver({ client: own }).check();
        expect([command, found]).toEqual([command, [expect.stringMatching(/no permission to write/)]]);
      }
    });

    test("a policy by which Redis removes live sessions", async () => {
      const { client } = await ownServer(["--maxmemory-policy", "allkeys-lru"]);
      const driver = redisDriver({ client });
      await driver.setup();
      expect(await driver.check()).toEqual([]);
      await client.configSet("maxmemory", "100mb");
      expect(await driver.check()).toEqual([expect.stringMatching(/allkeys-lru.*noeviction/)]);
    });

    test("a replica, which takes no writes", async () => {
      const { client, server } = await ownServer();
      await redisDriver({ client }).setup();
      const replica = await startRedisServer(["--replicaof", `127.0.0.1 ${server.port}`]);
      onTestFinished(() => replica.stop("SIGKILL"));
      const driver = redisDriver({ client: await connect(`redis://127.0.0.1:${replica.port}`) });
      await expect
        .poll(() => driver.check().catch(String), { timeout: 10_000 })
        .toEqual([expect.stringMatching(/READONLY/)]);
    });
  });

  test("the commands and keys that the README lists are all that the driver needs", async () => {
    const { client, url } = await ownServer();
    await client.aclSetUser("sessions", [...(await rulesInReadme()), ">secret"]);
    const own = await connect(url, { username: "sessions", password: "secret" });
    const driver = redisDriver({ client: own, waitReplicas: 0 });
    await driver.setup();
    expect(await driver.check()).toEqual([]);
    const now = Date.now();
    const id = await begin(driver, { principal: "alice" });
    await driver.commit(
      id,
      {
        fields: new Map([
          ["a/x", "1"],
          ["a/y", null],
        ]),
        principal: null,
        expiresAt: now + 1,
      },
      now,
    );
    await driver.load(id);
    await driver.list({ limit: 10 }, now);
    await driver.list({ principal: "alice", limit: 10 }, now);
    await driver.sweep({ after: 0, before: now, limit: 10 });
    await driver.destroy(id, now);
    await driver.teardown();
    expect(await client.keys("*")).toEqual([]);
  });

  test("a prefix is taken literally, and teardown removes what is its own alone", async () => {
    const { client } = await ownServer();
    const prefixes = ["a*", "ab", "a?", "a[b]", "a\\*", "a^", "a-b", "a"];
    const drivers = prefixes.map((prefix) => redisDriver({ client, prefix }));
    for (const driver of drivers) {
      expect(isProvisionedDriver(driver)).toBe(true);
      await driver.setup();
      await begin(driver, { principal: "alice" });
    }
    await client.set("a*other", "not ours");
    for (const driver of drivers) {
      const listed: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await driver.list({ limit: 100, cursor }, Date.now());
        listed.push(...page.records.map(({ id }) => id));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(listed).toHaveLength(1);
    }
    for (const [i, driver] of drivers.entries()) {
      await driver.teardown();
      // A record, an index and the layout each.
      expect(await client.dbSize()).toBe(3 * (drivers.length - 1 - i) + 1);
    }
    expect(await client.get("a*other")).toBe("not ours");
  });

  describe("a bad option is named", () => {
    const client = { sendCommand: async () => undefined };
    test.each<[Record<string, unknown>, RegExp]>([
      [{}, /client must be a client of the package redis; got undefined/],
      [{ client: "redis://user:hunter2@host" }, /client must be/],
      [{ client, prefix: "" }, /prefix must be text of 1 to 100 characters; got ""/],
      [{ client, prefix: "x".repeat(101) }, /prefix must be/],
      [{ client, prefix: 5 }, /prefix must be .* got 5/],
      [{ client, timeout: "soon" }, /timeout must be a duration .* got "soon"/],
      [{ client, timeout: 0 }, /timeout must be/],
      [{ client, waitReplicas: -1 }, /waitReplicas must be a whole number of 0 or more; got -1/],
      [{ client, waitReplicas: 0.5 }, /waitReplicas/],
      [{ client: { ...client, masters: [] }, waitReplicas: 1 }, /waitReplicas must be 0 with a cluster/],
      [{ client, ttl: 5 }, /Unknown option redisDriver: ttl/],
    ])("%j", (options, message) => {
      let thrown: unknown;
      try {
        redisDriver(options as unknown as RedisDriverOptions);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(SessionConfigError);
      expect(String(thrown)).toMatch(message);
      expect(inspect(thrown)).not.toContain("hunter2");
    });

    test.each(["redis//user:hunter2@host", "http://user:hunter2@host", "redis://user:hunter2@ho st:x", ""])(
      "a URL that is none is refused without being shown: %#",
      async (url) => {
        const thrown = await fromUrl(url).catch((error: unknown) => error);
        expect(thrown).toBeInstanceOf(SessionConfigError);
        expect(inspect(thrown)).not.toContain("hunter2");
      },
    );
  });
});
