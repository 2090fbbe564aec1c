import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { isProvisionedDriver, SessionConfigError } from "@sessions/core";
import { type ObjectCase, testFirstUse, testObjects, withService } from "@sessions/driver-tests";
import { startRedisServer } from "@sessions/test-services/redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { fromUrl, type RedisDriverOptions, redisDriver } from "../src/index.ts";
import { begin, type Client, connect, newId, ownServer } from "./support.ts";

async function rulesInReadme(): Promise<string[]> {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  return /ACL SETUSER sessions (.*)/.exec(readme)?.[1]?.split(" ") ?? [];
}

await withService("redis", (redis) => {
  test("the name and version that the run prints are the server's own", async () => {
    const client = await connect(redis.url, { RESP: 3 });
    const hello: unknown = await client.sendCommand(["HELLO", "3"]);
    const { server, version } = Object(hello);
    expect(redis.version.toLowerCase()).toBe(`${server} ${version}`);
  });

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
      // check() reads its own key first; the others are for teardown, waitReplicas, a cluster, and advice.
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
      // A record, a set and the layout each.
      expect(await client.dbSize()).toBe(3 * (drivers.length - 1 - i) + 1);
    }
    expect(await client.get("a*other")).toBe("not ours");
  });

  const objectCase = (
    what: string,
    foreign: boolean,
    write: (client: Client) => Promise<unknown>,
  ): ObjectCase => {
    let client: Client;
    let before: string[];
    return {
      what,
      foreign,
      async make() {
        ({ client } = await ownServer());
        await write(client);
        before = await client.keys("*");
        return redisDriver({ client });
      },
      isThere: async () => before.length > 0 && (await client.keys("*")).length === before.length,
    };
  };
  const record = { v: "1", e: "2", "a/x": "1" };
  testObjects(test, [
    objectCase("a text under the layout's key", true, (client) => client.set("sessions:layout", "dark")),
    objectCase("a hash under the layout's key", true, (client) => client.hSet("sessions:layout", record)),
    objectCase("a layout of another version", true, (client) => client.set("sessions:layout", "2")),
    objectCase("a record without its version", false, (client) =>
      client.hSet(`sessions:${newId()}`, { e: "2", "a/x": "1" }),
    ),
    objectCase("records without a layout", false, async (client) => {
      await begin(redisDriver({ client }), { principal: "alice" });
    }),
  ]);

  test("teardown leaves foreign keys under the driver's names, and every other name", async () => {
    const { client } = await ownServer();
    const driver = redisDriver({ client });
    await driver.setup();
    await begin(driver, { principal: "alice" });
    const [index = ""] = await client.keys("*@*");
    const foreign = ["foo", ...Array.from({ length: 4 }, newId)].map((name) => `sessions:${name}`);
    const [text = "", ownText = "", list = "", hash = "", zset = ""] = foreign;
    await client.set(text, "1");
    await client.set(ownText, "1");
    await client.rPush(list, "1");
    await client.hSet(hash, { user: "alice" });
    await client.zAdd(zset, { score: 1, value: newId() });
    const indexes = [index.replace(/@../, "@__"), index.replace(/@../, "@--")];
    await client.set(indexes[0] ?? "", "1");
    await client.zAdd(indexes[1] ?? "", { score: 1, value: "alice" });
    await driver.teardown();
    expect((await client.keys("*")).sort()).toEqual([...foreign, ...indexes].sort());
  });

  testFirstUse(test, "the missing layout", async () => {
    const { client } = await ownServer();
    return { driver: redisDriver({ client }), drop: () => client.del("sessions:layout") };
  });

  test("setup from many at once makes one layout, and none fails", async () => {
    const { client, url } = await ownServer();
    const others = await Promise.all(Array.from({ length: 8 }, () => connect(url)));
    await Promise.all(others.map((other) => redisDriver({ client: other }).setup()));
    expect(await client.keys("*")).toEqual(["sessions:layout"]);
    expect(await redisDriver({ client }).check()).toEqual([]);
  });

  describe("a bad option is named", () => {
    const client = { sendCommand: async () => undefined };
    test.each<[Record<string, unknown>, RegExp]>([
      [{}, /client must be a client of redis, ioredis, .*, or a RedisExecutor; got undefined/],
      [{ client: "redis://user:hunter2@host" }, /client must be/],
      [{ client, prefix: "" }, /prefix must be text of 1 to 100 characters; got ""/],
      [{ client, prefix: "x".repeat(101) }, /prefix must be/],
      [{ client, prefix: 5 }, /prefix must be .* got 5/],
      [{ client, timeout: "soon" }, /timeout must be a duration .* got "soon"/],
      [{ client, timeout: 0 }, /timeout must be/],
      [{ client, waitReplicas: -1 }, /waitReplicas must be a whole number of 0 or more; got -1/],
      [{ client, waitReplicas: 0.5 }, /waitReplicas/],
      [{ client: { ...client, masters: [] }, waitReplicas: 1 }, /waitReplicas must be 0 with this client/],
      [
        { client, ttl: 5 },
        /redisDriver: unknown option "ttl"\. Known: client, prefix, timeout, waitReplicas/,
      ],
      [{ client, prefx: "a" }, /redisDriver: unknown option "prefx"\. Did you mean "prefix"\?/],
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

    test("fromUrl's options too, and an argument that is no object", async () => {
      const misspelt: object = { timout: "1s" };
      const given: object = { client };
      for (const options of [misspelt, given, JSON.parse("5")])
        await expect(fromUrl("redis://127.0.0.1:1", options)).rejects.toMatchObject({
          code: "ERR_SESSION_CONFIG",
          message: expect.stringMatching(/^redisDriver fromUrl: /),
        });
    });

    test("an option in the URL, where the client would ignore it", async () => {
      await expect(fromUrl("redis://user:hunter2@127.0.0.1:1/0?prefix=mine:")).rejects.toMatchObject({
        code: "ERR_SESSION_CONFIG",
        message: expect.stringMatching(/^redisDriver fromUrl: "prefix" is an option(?!.*hunter2)/),
      });
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
