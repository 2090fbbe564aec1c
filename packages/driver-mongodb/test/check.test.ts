import { readFileSync } from "node:fs";
import { type ObjectCase, testObjects, withService } from "@sessions/driver-tests";
import { type Collection, MongoClient, MongoServerError } from "mongodb";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { type MongodbCollectionLike, mongodbDriver } from "../src/index.ts";
import { begin, HOUR, newId, newName } from "./support.ts";

await withService("mongodb", async (mongodb) => {
  const client = new MongoClient(mongodb.url);
  afterAll(() => client.close());

  async function ready() {
    const collection: Collection<{ _id: string; expiresAt: number }> = client.db().collection(newName());
    const driver = mongodbDriver({ collection });
    await driver.setup();
    return { collection, driver };
  }

  /** The same collection, with one method replaced. */
  const faulty = (
    collection: MongodbCollectionLike,
    method: keyof MongodbCollectionLike,
    body: () => unknown,
  ) =>
    new Proxy<MongodbCollectionLike>(collection, {
      get: (target, key) => (key === method ? body : Reflect.get(target, key)),
    });

  describe("check names", () => {
    test("nothing after setup, and leaves nothing", async () => {
      const { collection, driver } = await ready();
      expect(await driver.check()).toEqual([]);
      expect(await collection.countDocuments()).toBe(0);
    });

    test("a collection that is missing, and does not make it", async () => {
      const driver = mongodbDriver({ client, collection: newName() });
      for (let i = 0; i < 2; i++)
        expect(await driver.check()).toEqual([
          expect.stringMatching(/^The collection t_\w+ is missing: run setup\(\)$/),
        ]);
    });

    test.each([
      ["removeAt_1", "removeAt", /removes nothing/],
      ["expiresAt_1", "expiresAt", /sweep\(\) is slow/],
      ["principal_1__id_1", "principal, _id", /list\(\) is slow/],
    ])("the missing index %s", async (name, keys, effect) => {
      const { collection, driver } = await ready();
      await collection.dropIndex(name);
      const found = await driver.check();
      expect(found).toEqual([expect.stringContaining(`on ${keys} is missing`)]);
      expect(found[0]).toMatch(effect);
      await driver.setup();
      expect(await driver.check()).toEqual([]);
    });

    test.each([
      ["removeAt_1", { removeAt: 1 }, { expireAfterSeconds: 3600 }, "expireAfterSeconds"],
      ["removeAt_1", { removeAt: 1 }, {}, "expireAfterSeconds"],
      ["expiresAt_1", { expiresAt: 1 }, { expireAfterSeconds: 5 }, "expiresAt"],
      ["expiresAt_1", { expiresAt: 1 }, { unique: true }, "expiresAt"],
      ["principal_1__id_1", { principal: 1, _id: 1 }, { sparse: true }, "partialFilterExpression"],
    ] as const)("the index %s on %o with %o", async (name, key, options, named) => {
      const { collection, driver } = await ready();
      await collection.dropIndex(name);
      await collection.createIndex(key, options);
      expect(await driver.check()).toEqual([expect.stringContaining(named)]);
      expect((await driver.check())[0]).toMatch(/drop it, and run setup\(\)$/);
    });

    test("an index with other keys in the place of one", async () => {
      const { collection, driver } = await ready();
      await collection.dropIndex("principal_1__id_1");
      await collection.createIndex({ _id: 1, principal: 1 });
      expect(await driver.check()).toEqual([expect.stringContaining("on principal, _id is missing")]);
    });

    test("a collation, and a capped collection", async () => {
      const { collection } = await ready();
      const told = async () => ({ collation: { locale: "en", strength: 2 }, capped: true });
      const driver = mongodbDriver({ collection: faulty(collection, "options", told) });
      expect(await driver.check()).toEqual([
        expect.stringContaining("has a collation"),
        expect.stringContaining("is capped"),
      ]);
    });

    test.each(["updateOne", "findOne", "deleteOne", "listIndexes", "options"] as const)(
      "a user who may not %s",
      async (method) => {
        const { collection } = await ready();
        const refuse = () => {
          throw new MongoServerError({ code: 13, codeName: "Unauthorized", errmsg: "not allowed" });
        };
        const driver = mongodbDriver({ collection: faulty(collection, method, refuse) });
        expect(await driver.check()).toEqual([expect.stringMatching(/lacks a permission.*readWrite/)]);
      },
    );

    test.each([
      [2, /clock is 2\.0 hours ahead of.*early/],
      [-3, /clock is 3\.0 hours behind.*late/],
    ])("a server's clock that is %i hours off", async (hours, message) => {
      const { collection } = await ready();
      const other = async () => ({ removeAt: new Date(Date.now() + hours * HOUR) });
      const driver = mongodbDriver({ collection: faulty(collection, "findOne", other) });
      expect(await driver.check()).toEqual([expect.stringMatching(message)]);
    });

    test("no finding for an outage: it rejects", async () => {
      const { collection } = await ready();
      const refuse = () => Promise.reject(new MongoServerError({ code: 91, codeName: "ShutdownInProgress" }));
      const driver = mongodbDriver({ collection: faulty(collection, "updateOne", refuse) });
      await expect(driver.check()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    });
  });

  test("setup names an index that is in its way", async () => {
    const { collection, driver } = await ready();
    await collection.dropIndex("expiresAt_1");
    await collection.createIndex({ version: 1 }, { name: "expiresAt_1" });
    const refuse = () =>
      Promise.reject(new MongoServerError({ code: 86, codeName: "IndexKeySpecsConflict" }));
    await expect(
      mongodbDriver({ collection: faulty(collection, "createIndexes", refuse) }).setup(),
    ).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
    expect(await driver.check()).toEqual([expect.stringContaining("on expiresAt is missing")]);
  });

  test("the README's definition and setup() make the same, and check() is content with it", async () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const definition = /```js\n(db\.sessions[^`]+)```/.exec(readme)?.[1] ?? "";
    const { collection } = await ready();
    const migrated: Collection = client.db().collection(newName());
    const making: Promise<unknown>[] = [];
    const createIndex = (...args: Parameters<Collection["createIndex"]>) =>
      void making.push(migrated.createIndex(...args));
    new Function("db", definition)({ sessions: { createIndex } });
    await Promise.all(making);
    const told = async (one: { listIndexes: Collection["listIndexes"] }) =>
      (await one.listIndexes().toArray())
        .map(({ ns: _, ...index }) => index)
        .sort((a, b) => (String(a["name"]) < String(b["name"]) ? -1 : 1));
    expect(await told(migrated)).toEqual(await told(collection));
    expect(await told(migrated)).toHaveLength(4);
    expect(await mongodbDriver({ collection: migrated }).check()).toEqual([]);
  });

  // Not by a filter, which the emulator ignores.
  const names = async () => (await client.db().listCollections().toArray()).map(({ name }) => name);

  type Made = Collection<{ _id: string | number; [name: string]: unknown }>;
  const objectCase = (
    what: string,
    foreign: boolean,
    write: (made: Made) => Promise<unknown>,
  ): ObjectCase => {
    const name = newName();
    const made: Made = client.db().collection(name);
    let before = 0;
    return {
      what,
      foreign,
      async make() {
        await write(made);
        before = await made.countDocuments();
        return mongodbDriver({ client, collection: name });
      },
      async isThere() {
        return (await names()).includes(name) && (await made.countDocuments()) === before;
      },
    };
  };
  const session = { version: 1, expiresAt: 1, removeAt: new Date(8e15), fields: { "a/x": "1" } };
  const old = { expires: new Date(8e15), session: "{}" };
  testObjects(test, [
    objectCase("a collection of another library", true, (made) => made.insertOne({ _id: newId(), ...old })),
    objectCase("a collection of numbered documents", true, (made) => made.insertOne({ ...session, _id: 5 })),
    objectCase("documents that have a version, and a text for an id", true, (made) =>
      made.insertOne({ _id: "settings", version: 2 }),
    ),
    objectCase("one foreign document among sessions", true, async (made) => {
      await made.insertMany(Array.from({ length: 300 }, () => ({ _id: newId(), ...session })));
      await made.insertOne({ _id: newId(), ...old });
    }),
    objectCase("a collection whose indexes are gone", false, async (made) => {
      await mongodbDriver({ collection: made }).setup();
      await made.insertOne({ _id: newId(), ...session });
      for (const index of ["removeAt_1", "expiresAt_1", "principal_1__id_1"]) await made.dropIndex(index);
    }),
    objectCase("a collection with a session that is damaged", false, async (made) => {
      await mongodbDriver({ collection: made }).setup();
      const { version, ...damaged } = session;
      await made.insertOne({ _id: newId(), ...damaged });
    }),
    objectCase("an empty collection of its own", false, (made) =>
      mongodbDriver({ collection: made }).setup(),
    ),
  ]);

  test("teardown leaves an empty collection that another application made, until setup() has taken it over", async () => {
    const name = newName();
    await client.db().createCollection(name);
    const driver = mongodbDriver({ client, collection: name });
    await driver.teardown();
    expect(await names()).toContain(name);
    await driver.setup();
    await driver.teardown();
    expect(await names()).not.toContain(name);
  });

  test.each([
    ["a view", { viewOn: "other", pipeline: [] }],
    ["time series", { timeseries: { timeField: "at" } }],
  ])("setup refuses and teardown leaves %s", async (_, made) => {
    const { collection } = await ready();
    const dropped: unknown[] = [];
    const other = faulty(
      faulty(collection, "options", async () => made),
      "drop",
      async () => dropped.push(made),
    );
    const driver = mongodbDriver({ collection: other });
    for (const call of [driver.setup, driver.teardown])
      await expect(call()).rejects.toMatchObject({
        code: "ERR_SESSION_SETUP",
        message: expect.stringContaining("Name another collection"),
      });
    expect(dropped).toEqual([]);
  });

  test("setup on a client that was never connected, to an address where nothing is, fails in time", async () => {
    const nowhere = new MongoClient("mongodb://127.0.0.1:1");
    onTestFinished(() => nowhere.close());
    const driver = mongodbDriver({ client: nowhere, timeout: 300 });
    for (const call of [driver.setup, driver.check, driver.teardown]) {
      const begun = performance.now();
      await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
      expect(performance.now() - begun).toBeLessThan(3 * 300);
    }
  });

  describe("without setup", () => {
    test("create is SessionSetupError, makes nothing, and works after setup", async () => {
      const name = newName();
      const driver = mongodbDriver({ client, collection: name });
      await expect(begin(driver)).rejects.toMatchObject({
        code: "ERR_SESSION_SETUP",
        message: expect.stringMatching(/sessions\.setup\(\), or driver\.setup\(\)/),
      });
      expect(await names()).not.toContain(name);
      await driver.setup();
      expect((await driver.load(await begin(driver)))?.version).toBe(1);
    });

    test("a commit is gone, and makes no collection", async () => {
      const name = newName();
      const driver = mongodbDriver({ client, collection: name });
      const fields = new Map([["a/x", "1"]]);
      expect(await driver.commit(newId(), { fields }, Date.now())).toBe("gone");
      expect(await driver.commit(newId(), { fields, ifVersion: 1 }, Date.now())).toBe("gone");
      // The emulator makes one for any write.
      if (!mongodb.emulator) expect(await names()).not.toContain(name);
    });
  });
});
