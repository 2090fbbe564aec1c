import { createSessionManager } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import { MongoClient } from "mongodb";
import { afterAll, describe, expect, test } from "vitest";
import { mongodbDriver } from "../src/index.ts";
import { commandsOf, nameOf, newId, newName } from "./support.ts";

await withService("mongodb", async (mongodb) => {
  const client = new MongoClient(mongodb.url, { monitorCommands: true });
  afterAll(() => client.close());

  function start(collection: string, setup?: "manual") {
    const driver = mongodbDriver({ client, collection });
    return { driver, sessions: createSessionManager({ driver, setup }) };
  }
  const login = async ({ sessions }: ReturnType<typeof start>): Promise<void> => {
    const session = sessions.create();
    session.login("ann");
    await session.commit();
  };

  describe("the first call of a process", () => {
    test("makes the collection and all of its indexes, though it is a read that misses nothing", async () => {
      const site = start(newName());
      expect(await site.sessions.valid(newId())).toBe(false);
      await login(site);
      expect(await site.sessions.check()).toEqual([]);
    });

    test.each(["removeAt_1", "expiresAt_1", "principal_1__id_1"])("makes the missing %s", async (index) => {
      const name = newName();
      await mongodbDriver({ client, collection: name }).setup();
      await client.db().collection(name).dropIndex(index);
      const site = start(name);
      await site.sessions.valid(newId());
      expect(await site.sessions.check()).toEqual([]);
    });

    test("looks for missing parts, and the next call does not", async () => {
      const name = newName();
      await mongodbDriver({ client, collection: name }).setup();
      const site = start(name);
      const told = async () => {
        const commands = await commandsOf(client, () => site.sessions.valid(newId()));
        return commands.map(nameOf).sort();
      };
      expect(await told()).toEqual(["find", "listCollections", "listIndexes"]);
      expect(await told()).toEqual(["find"]);
    });

    test('with setup: "manual" makes nothing', async () => {
      const name = newName();
      await mongodbDriver({ client, collection: name }).setup();
      await client.db().collection(name).dropIndex("expiresAt_1");
      const site = start(name, "manual");
      await login(site);
      expect(await site.sessions.check()).toEqual([expect.stringContaining("expiresAt is missing")]);
      await expect(login(start(newName(), "manual"))).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
    });
  });
});
