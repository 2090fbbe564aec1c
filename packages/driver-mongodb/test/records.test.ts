import { inspect } from "node:util";
import { isSessionError } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import {
  type Collection,
  Double,
  Int32,
  Long,
  MongoClient,
  MongoServerError,
  MongoWriteConcernError,
} from "mongodb";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type MongodbCollectionLike, mongodbDriver } from "../src/index.ts";
import { begin, commandsOf, HOUR, NOT_RUN, nameOf, newId, newName } from "./support.ts";

await withService("mongodb", async (mongodb) => {
  const client = new MongoClient(mongodb.url, {
    monitorCommands: true,
    readPreference: "secondaryPreferred",
    readConcernLevel: "available",
    writeConcern: { w: 1 },
  });
  afterAll(() => client.close());

  async function ready() {
    const collection: Collection<{ _id: string; expiresAt: number; removeAt: Date; fields: object }> = client
      .db()
      .collection(newName());
    const driver = mongodbDriver({ collection });
    await driver.setup();
    return { collection, driver };
  }

  test("a client that waits for no write (w: 0) makes the indexes and counts all the same", async () => {
    const careless = new MongoClient(mongodb.url, { writeConcern: { w: 0 } });
    const driver = mongodbDriver({ client: careless, collection: newName() });
    await driver.setup();
    const id = await begin(driver);
    expect(await driver.commit(id, { fields: new Map(), ifVersion: 1 }, Date.now())).toBe("committed");
    expect(await driver.check()).toEqual([]);
    await driver.teardown();
    await careless.close();
  });

  describe("one round trip, by the commands that the client sent", () => {
    test("load, commit and destroy, whatever the outcome", async () => {
      const { driver } = await ready();
      const id = await begin(driver);
      const now = Date.now();
      const x = new Map([["a/x", "1"]]);
      const hundred = new Map(Array.from({ length: 100 }, (_, i) => [`a/${i}`, i % 2 ? null : "1"] as const));
      const calls: [string, () => Promise<unknown>, unknown, string[]][] = [
        ["load", () => driver.load(id), expect.anything(), ["find"]],
        ["load of none", () => driver.load(newId()), undefined, ["find"]],
        ["write", () => driver.commit(id, { fields: x }, now), "committed", ["update"]],
        ["100 fields", () => driver.commit(id, { fields: hundred }, now), "committed", ["update"]],
        [
          "touch",
          () => driver.commit(id, { fields: new Map(), expiresAt: now + 2 * HOUR }, now),
          "committed",
          ["update"],
        ],
        ["empty", () => driver.commit(id, { fields: new Map() }, now), "committed", ["update"]],
        ["gone", () => driver.commit(newId(), { fields: x }, now), "gone", ["update"]],
        [
          "gone with ifVersion",
          () => driver.commit(newId(), { fields: x, ifVersion: 1 }, now),
          "gone",
          ["update"],
        ],
        ["if version", () => driver.commit(id, { fields: x, ifVersion: 3 }, now), "committed", ["update"]],
        ["conflict", () => driver.commit(id, { fields: x, ifVersion: 99 }, now), "conflict", ["update"]],
        ["create", () => begin(driver), expect.anything(), ["update"]],
        ["destroy", () => driver.destroy(id, now), true, ["delete"]],
        ["destroy of none", () => driver.destroy(id, now), false, ["delete", "delete"]],
      ];
      for (const [name, call, answer, names] of calls) {
        let answered: unknown;
        const commands = await commandsOf(client, async () => {
          answered = await call();
        });
        expect([name, answered, commands.map(nameOf)]).toEqual([name, answer, names]);
      }
    });

    test("the first create of a driver looks for the indexes first, once", async () => {
      const { collection } = await ready();
      const driver = mongodbDriver({ collection });
      const first = await commandsOf(client, () => Promise.all([begin(driver), begin(driver)]));
      expect(first.map(nameOf).sort()).toEqual(["listIndexes", "update", "update"]);
      expect((await commandsOf(client, () => begin(driver))).map(nameOf)).toEqual(["update"]);
    });

    const real = mongodb.emulator ? test.skip : test;
    real(`by the server's own counters (${mongodb.emulator ? NOT_RUN : "serverStatus"})`, async () => {
      const { driver } = await ready();
      const id = await begin(driver);
      const now = Date.now();
      const x = new Map([["a/x", "1"]]);
      const admin = client.db("admin");
      const counts = async () => {
        const { commands } = (await admin.command({ serverStatus: 1 }))["metrics"];
        const total = (name: string) => Number(commands[name]?.total ?? 0);
        return { find: total("find"), update: total("update"), delete: total("delete") };
      };
      const asked = async (call: () => Promise<unknown>) => {
        const before = await counts();
        await call();
        const after = await counts();
        return {
          find: after.find - before.find,
          update: after.update - before.update,
          delete: after.delete - before.delete,
        };
      };
      // Other files use the server at the same time. Of one call's own commands none is ever missing.
      const expectAsked = (call: () => Promise<() => Promise<unknown>>, counted: object) =>
        vi.waitFor(async () => expect(await asked(await call())).toEqual(counted), { timeout: 20_000 });
      await expectAsked(async () => () => driver.load(id), { find: 1, update: 0, delete: 0 });
      const touch = { fields: new Map<string, string>(), expiresAt: now + 2 * HOUR };
      for (const [one, change] of [
        [id, { fields: x }],
        [id, touch],
        [newId(), { fields: x, ifVersion: 1 }],
        [id, { fields: x, ifVersion: 99_999 }],
      ] as const)
        await expectAsked(async () => () => driver.commit(one, change, now), {
          find: 0,
          update: 1,
          delete: 0,
        });
      const destroyed = { find: 0, update: 0, delete: 1 };
      await expectAsked(async () => {
        const one = await begin(driver);
        return () => driver.destroy(one, now);
      }, destroyed);
    });
  });

  test("reads are from the primary and writes to a majority, whatever the client's settings; all have a limit of time", async () => {
    const { driver } = await ready();
    const commands = await commandsOf(client, async () => {
      const id = await begin(driver);
      const now = Date.now();
      await driver.load(id);
      await driver.list({ limit: 10 }, now);
      await driver.commit(id, { fields: new Map([["a/x", "1"]]) }, now);
      await driver.commit(id, { fields: new Map(), ifVersion: 2 }, now);
      await driver.destroy(id, now);
      await begin(driver, { expiresAt: now - 1 });
      expect(await driver.sweep({ after: 0, before: now, limit: 10 })).toBe(1);
    });
    expect(commands.map(nameOf)).toEqual(
      "listIndexes update find find update update delete update find delete".split(" "),
    );
    for (const command of commands) {
      expect(command["maxTimeMS"]).toBe(2000);
      if (nameOf(command) === "find") {
        expect(command["readConcern"]).toMatchObject({ level: "local" });
        expect(command["$readPreference"] ?? { mode: "primary" }).toMatchObject({ mode: "primary" });
      } else if (nameOf(command) !== "listIndexes")
        expect(command["writeConcern"]).toEqual({ w: "majority" });
    }
  });

  test("each read names the primary, whatever the collection's settings", async () => {
    const { collection, driver } = await ready();
    const id = await begin(driver);
    const named: unknown[] = [];
    const noting = new Proxy<MongodbCollectionLike>(collection, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        if (!["find", "findOne", "listIndexes", "options"].includes(String(key))) return method;
        return (...args: object[]) => {
          named.push([key, Reflect.get(args.at(-1) ?? {}, "readPreference")]);
          return typeof method === "function" ? method.apply(target, args) : undefined;
        };
      },
    });
    const noted = mongodbDriver({ collection: noting });
    await noted.load(id);
    await noted.list({ limit: 1 }, Date.now());
    await noted.sweep({ after: 0, before: 1, limit: 1 });
    expect(await noted.check()).toEqual([]);
    const reads = ["findOne", "find", "find", "listIndexes", "options", "findOne"];
    expect(named).toEqual(reads.map((key) => [key, "primary"]));
  });

  test("a destroy between the two halves of a compare-and-set is no conflict", async () => {
    const { collection, driver } = await ready();
    const now = Date.now();
    const outcomes: unknown[] = [];
    // As a server may execute them: each half by itself, with other commands between.
    for (const before of [0, 1]) {
      const id = await begin(driver);
      const torn = new Proxy<MongodbCollectionLike>(collection, {
        get(target, key) {
          if (key !== "bulkWrite") return Reflect.get(target, key);
          return async (...[operations]: Parameters<MongodbCollectionLike["bulkWrite"]>) => {
            const counts = { matchedCount: 0, modifiedCount: 0 };
            for (const [i, { updateOne }] of operations.entries()) {
              if (i === before) await driver.destroy(id, now);
              const done = await collection.updateOne(updateOne.filter, updateOne.update);
              counts.matchedCount += done.matchedCount;
              counts.modifiedCount += done.modifiedCount;
            }
            return counts;
          };
        },
      });
      const change = { fields: new Map([["a/x", "1"]]), ifVersion: 1 };
      outcomes.push(await mongodbDriver({ collection: torn }).commit(id, change, now));
      expect(await driver.load(id)).toBeUndefined();
    }
    expect(outcomes).toEqual(["gone", "committed"]);
  });

  test("a destroy is final, and one of several is the one, while others write the record", async () => {
    const { driver } = await ready();
    const now = Date.now();
    for (let round = 0; round < 40; round++) {
      const id = await begin(driver);
      const write = (n: number) =>
        driver.commit(id, { fields: new Map([[`a/${n}`, "1"]]), expiresAt: now + HOUR + n }, now);
      const writing = Array.from({ length: 8 }, (_, n) => write(n));
      const destroyed = await Promise.all([driver.destroy(id, now), driver.destroy(id, now)]);
      expect(destroyed.filter(Boolean), `round ${round}`).toHaveLength(1);
      await Promise.all(writing);
      expect(await driver.load(id)).toBeUndefined();
      expect(await write(9)).toBe("gone");
    }
  });

  test("MongoDB may remove a record a day and an hour after its expiry, by the caller's clock or by none", async () => {
    const { collection, driver } = await ready();
    const id = newId();
    // A caller whose clock is ten years behind, so that now and expiry are both old.
    const now = Date.now() - 10 * 365 * 24 * HOUR;
    const left = async () =>
      ((await collection.findOne({ _id: id }))?.removeAt.getTime() ?? 0) - Date.now() - 25 * HOUR;
    await driver.create(id, { expiresAt: now + HOUR, fields: new Map() }, now);
    expect(Math.abs((await left()) - HOUR)).toBeLessThan(60_000);
    await driver.commit(id, { fields: new Map(), expiresAt: now + 3 * HOUR }, now);
    expect(Math.abs((await left()) - 3 * HOUR)).toBeLessThan(60_000);
    await driver.commit(id, { fields: new Map([["a/x", "1"]]) }, now);
    expect(Math.abs((await left()) - 3 * HOUR)).toBeLessThan(60_000);
    await driver.commit(id, { fields: new Map(), expiresAt: now - 5 * HOUR }, now);
    expect(Math.abs(await left())).toBeLessThan(60_000);
    await driver.create(id, { expiresAt: Number.MAX_SAFE_INTEGER, fields: new Map() }, now);
    expect((await driver.load(id))?.expiresAt).toBe(Number.MAX_SAFE_INTEGER);
  });

  describe("a change of thousands of fields", () => {
    const many = (text: string) => new Map(Array.from({ length: 2_000 }, (_, i) => [`a/${i}`, text]));

    test("is read, merged and written if nothing has changed since", async () => {
      const { driver } = await ready();
      const id = await begin(driver, { fields: new Map([["b/kept", "1"]]) });
      const now = Date.now();
      const commands = await commandsOf(client, async () => {
        expect(await driver.commit(id, { fields: many("x") }, now)).toBe("committed");
      });
      expect(commands.map(nameOf)).toEqual(["find", "update"]);
      expect(await driver.commit(id, { fields: many("y"), ifVersion: 1 }, now)).toBe("conflict");
      expect(await driver.commit(id, { fields: many("y"), ifVersion: 2, principal: "u" }, now)).toBe(
        "committed",
      );
      expect(await driver.commit(newId(), { fields: many("y"), ifVersion: 2 }, now)).toBe("gone");
      const record = await driver.load(id);
      expect(record).toMatchObject({ version: 3, principal: "u" });
      expect(record?.fields).toEqual(new Map([["b/kept", "1"], ...many("y")]));
    });

    test("does not write the old fields into a new record under the same id", async () => {
      const { collection, driver } = await ready();
      const id = await begin(driver, { fields: new Map([["a/secret", "old"]]) });
      const now = Date.now();
      let raced = false;
      const racing = new Proxy<MongodbCollectionLike>(collection, {
        get(target, key) {
          if (key !== "findOne" || raced) return Reflect.get(target, key);
          return async (filter: object) => {
            const found = await collection.findOne(filter);
            raced = true;
            await driver.destroy(id, now);
            await driver.create(id, { expiresAt: now + 2 * HOUR, fields: new Map() }, now);
            return found;
          };
        },
      });
      const large = mongodbDriver({ collection: racing });
      expect(await large.commit(id, { fields: many("x") }, now)).toBe("committed");
      expect((await driver.load(id))?.fields.has("a/secret")).toBe(false);
    });

    test("comes to an end where others are always faster", async () => {
      const { collection, driver } = await ready();
      const id = await begin(driver);
      const now = Date.now();
      let others = 0;
      const busy = new Proxy<MongodbCollectionLike>(collection, {
        get(target, key) {
          if (key !== "findOne") return Reflect.get(target, key);
          return async (filter: object) => {
            const found = await collection.findOne(filter);
            await driver.commit(id, { fields: new Map([[`b/${others++}`, "1"]]) }, now);
            return found;
          };
        },
      });
      const large = mongodbDriver({ collection: busy });
      expect(await large.commit(id, { fields: many("x") }, now)).toBe("committed");
      const record = await driver.load(id);
      expect(record?.fields.size).toBe(2_000 + others);
      expect(record?.version).toBe(2 + others);
    });
  });

  describe("errors", () => {
    const failing = (error: unknown) =>
      new Proxy<MongodbCollectionLike>(client.db().collection("x"), {
        get: (target, key) =>
          key === "updateOne" || key === "bulkWrite" || key === "findOne"
            ? () => Promise.reject(error)
            : Reflect.get(target, key),
      });
    const outcome = async (error: unknown, ifVersion?: number) => {
      const driver = mongodbDriver({ collection: failing(error) });
      const change = { fields: new Map([["a/x", "1"]]), ifVersion };
      const thrown = await driver.commit(newId(), change, Date.now()).catch((reason: unknown) => reason);
      return isSessionError(thrown) ? { code: thrown.code, message: thrown.message } : thrown;
    };

    test.each([10_334, 17_419, 17_420, 285_999_133])(
      "a document too large by the server's code %i",
      async (code) => {
        const error = new MongoServerError({ code, errmsg: "too large" });
        expect(await outcome(error)).toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
        expect(await outcome(error, 1)).toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
      },
    );

    test.each([
      [10_107, "NotWritablePrimary"],
      [13_435, "NotPrimaryNoSecondaryOk"],
      [11_600, "InterruptedAtShutdown"],
      [11_602, "InterruptedDueToReplStateChange"],
      [189, "PrimarySteppedDown"],
      [91, "ShutdownInProgress"],
      [50, "MaxTimeMSExpired"],
      [13, "Unauthorized"],
    ])("the server's %i, %s, is DriverUnavailableError, and named", async (code, codeName) => {
      const error = new MongoServerError({ code, codeName, errmsg: "no" });
      expect(await outcome(error)).toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
        message: expect.stringContaining(codeName),
      });
    });

    test("no error shows the document that the server refuses, nor its principal", async () => {
      const { collection, driver } = await ready();
      await collection.createIndex({ principal: 1 }, { unique: true, sparse: true });
      await begin(driver, { principal: "a secret" });
      const id = await begin(driver);
      const fields = new Map([["a/x", "a secret"]]);
      for (const ifVersion of [undefined, 1]) {
        const error: unknown = await driver
          .commit(id, { fields, principal: "a secret", ifVersion }, Date.now())
          .catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE", cause: { code: 11_000 } });
        const shown = inspect(error, { depth: 12, showHidden: true });
        for (const mark of ["a secret", id]) expect(shown).not.toContain(mark);
      }
      await driver.teardown();
    });

    test("a code is recognised as an object too, which the client returns with promoteValues: false", async () => {
      for (const code of [new Int32(17_419), new Double(17_419), Long.fromNumber(17_419)]) {
        const error = new MongoServerError({ code, errmsg: "too large" });
        expect(await outcome(error)).toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
        const inner = Object.assign(new MongoServerError({ errmsg: "no" }), { writeErrors: [{ code }] });
        expect(await outcome(inner, 1)).toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
      }
      // A live record's id: the server refuses a second with its code.
      const { collection, driver } = await ready();
      const id = await begin(driver);
      const settings = { promoteValues: false };
      const unpromoted = client.db().collection(collection.collectionName, settings);
      const now = Date.now();
      const other = mongodbDriver({ collection: unpromoted });
      expect(await other.create(id, { expiresAt: now + HOUR, fields: new Map() }, now)).toBe(false);
      expect(await other.check()).toEqual([]);
    });

    test("a write that a majority does not have in time may or may not have been made", async () => {
      const error = new MongoWriteConcernError({
        ok: 1,
        writeConcernError: { code: 64, codeName: "WriteConcernFailed", errmsg: "waiting timed out" },
      });
      expect(await outcome(error)).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    });

    test("a change that does not fit into 16 MB is refused whole, with ifVersion and by growth too", async () => {
      const { driver } = await ready();
      const id = await begin(driver, { fields: new Map([["a/x", "1"]]) });
      const now = Date.now();
      const large = new Map([["a/large", "x".repeat(17 * 2 ** 20)]]);
      for (const ifVersion of [undefined, 1])
        await expect(driver.commit(id, { fields: large, ifVersion }, now)).rejects.toMatchObject({
          code: "ERR_SESSION_TOO_LARGE",
        });
      expect(await driver.load(id)).toMatchObject({ version: 1, fields: new Map([["a/x", "1"]]) });
      await expect(begin(driver, { fields: large })).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
    });
  });
});
