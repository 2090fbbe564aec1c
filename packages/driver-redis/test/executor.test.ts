import { withService } from "@sessions/driver-tests";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { type RedisExecutor, redisDriver } from "../src/index.ts";
import { begin, ownServer } from "./support.ts";

/** The pairs in a flat list of names and texts. */
const pairsOf = (flat: unknown[]): [string, unknown][] =>
  flat.flatMap((name, i): [string, unknown][] => (i % 2 === 0 ? [[String(name), flat[i + 1]]] : []));

await withService("redis", () => {
  describe("an executor that an application writes is taken as the client, in whatever form a hash comes", () => {
    test.each<[string, (flat: unknown[]) => unknown]>([
      ["a flat list", (flat) => flat],
      ["pairs", pairsOf],
      ["a Map", (flat) => new Map(pairsOf(flat))],
      ["an object", (flat) => Object.fromEntries(pairsOf(flat))],
    ])("%s", async (_, form) => {
      const { url, client } = await ownServer();
      const plain = await createClient({ url, RESP: 2 }).connect();
      onTestFinished(() => plain.destroy());
      const send = async (args: string[]): Promise<unknown> => {
        const reply: unknown = await plain.sendCommand(args);
        if (args[0] === "HGETALL" && Array.isArray(reply)) return form(reply);
        // Some clients return numbers as digits.
        return typeof reply === "number" ? String(reply) : reply;
      };
      const executor: RedisExecutor = {
        send: (_key, args) => send(args),
        masters: async () => [{ address: "server", send }],
      };
      const driver = redisDriver({ client: executor });
      const fields = new Map([
        ["__proto__/x", "1"],
        ["0/0", "2"],
        ["constructor/x", ""],
      ]);
      const id = await begin(driver, { fields, principal: "alice" });
      expect(await driver.load(id)).toMatchObject({ fields, principal: "alice", version: 1 });
      const now = Date.now();
      expect(await driver.commit(id, { fields: new Map(), ifVersion: 9 }, now)).toBe("conflict");
      expect((await driver.list({ limit: 10 }, now)).records).toHaveLength(1);
      expect(await driver.destroy(id, now)).toBe(true);
      expect(await driver.load(id)).toBeUndefined();
      expect(await client.exists(`sessions:${id}`)).toBe(0);
      expect(() => redisDriver({ client: executor, waitReplicas: 1 })).toThrow(/waitReplicas must be 0/);
    });
  });
});
