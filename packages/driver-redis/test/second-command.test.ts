import { startProxy, type TestProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { GlideClient } from "@valkey/valkey-glide";
import { Redis } from "ioredis";
import { Redis as Iovalkey } from "iovalkey";
import { createClientPool } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AnyRedisClientLike, type RedisMaster, redisDriver } from "../src/index.ts";
import { begin, type Client, connect, newId, ownServer } from "./support.ts";

/** An executor as docs/clients.md shows it. */
async function executorOn(url: string): Promise<AnyRedisClientLike> {
  const client = await connect(url);
  const send: RedisMaster["send"] = async (args, { isOver }) => {
    if (isOver()) throw new Error("The time was over before the command could be sent");
    return client.sendCommand(args);
  };
  return {
    send: (_key, args, limit) => send(args, limit),
    masters: async () => [{ address: "server", send }],
  };
}

const clients: Record<string, (url: string) => Promise<AnyRedisClientLike>> = {
  redis: (url) => connect(url),
  async "redis: a pool"(url) {
    const pool = createClientPool({ url }, { minimum: 1, maximum: 1 });
    pool.on("error", () => {});
    await pool.connect();
    onTestFinished(() => pool.destroy());
    return pool;
  },
  async ioredis(url) {
    const client = new Redis(url);
    onTestFinished(() => client.disconnect());
    return client;
  },
  async iovalkey(url) {
    const client = new Iovalkey(url);
    onTestFinished(() => client.disconnect());
    return client;
  },
  "an executor of the application": executorOn,
};

await withService("redis", () => {
  async function lineToOwnServer(): Promise<{ line: TestProxy; plain: Client }> {
    const { url, client: plain } = await ownServer();
    const line = await startProxy(url);
    onTestFinished(line.close);
    return { line, plain };
  }

  // The server has lost the script, and its reply comes after the end of the call.
  describe("a script is not sent in full once its call has failed", () => {
    test.each(Object.entries(clients))("%s", async (_, open) => {
      const { line, plain } = await lineToOwnServer();
      const client = await open(line.url);
      const patient = redisDriver({ client, timeout: 20_000 });
      const id = await begin(patient);
      await plain.scriptFlush();
      line.delay(300);
      const change = { fields: new Map([["a/x", "late"]]) };
      await expect(
        redisDriver({ client, timeout: 400 }).commit(id, change, Date.now()),
      ).rejects.toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
      });
      line.delay(0);
      // The first reply follows the late one, and the second whatever was sent because of that.
      await patient.load(id);
      expect((await patient.load(id))?.version).toBe(1);
    });
  });

  // Such a client sends within its requestTimeout what it could not send at once.
  test("@valkey/valkey-glide is given no second command that it might send after the end of the call", async () => {
    const { line, plain } = await lineToOwnServer();
    const client = await GlideClient.createClient({
      addresses: [{ host: line.host, port: line.port }],
      requestTimeout: 1_500,
    });
    onTestFinished(() => client.close());
    const driver = redisDriver({ client, timeout: 2_000 });
    const id = await begin(driver);
    await plain.scriptFlush();
    const unsent = { code: "ERR_SESSION_UNAVAILABLE", message: expect.stringContaining("less time left") };
    // The first reply leaves about 1,300 ms.
    line.delay(350);
    const late = newId();
    const now = Date.now();
    const record = { expiresAt: now + 60_000, principal: "alice", fields: new Map() };
    const scripted = driver.commit(id, { fields: new Map([["a/x", "late"]]) }, now);
    await expect(scripted).rejects.toMatchObject(unsent);
    // Now the server knows the first script of these two.
    line.delay(0);
    await begin(driver, { principal: "alice" });
    line.delay(350);
    await expect(driver.create(late, record, Date.now())).rejects.toMatchObject(unsent);
    line.delay(0);
    expect((await driver.load(id))?.version).toBe(1);
    expect(await driver.load(late)).toBeUndefined();
  });
});
