// Tests that an emulator cannot run: the server's plans, its TTL thread, its elections, and a sweep at scale.
import { DriverUnavailableError } from "@sessions/core";
import { sweepBesideCommits, withService } from "@sessions/driver-tests";
import { startMongodbReplicaSet } from "@sessions/test-services/mongodb";
import { type Collection, type Document, MongoClient } from "mongodb";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { mongodbDriver } from "../src/index.ts";
import { newDocument } from "../src/statements.ts";
import { begin, commandsOf, HOUR, NOT_RUN, nameOf, newId, newName } from "./support.ts";

await withService("mongodb", async (mongodb) => {
  const client = new MongoClient(mongodb.url, { monitorCommands: true });
  const sweeping = new MongoClient(mongodb.url, { monitorCommands: true });
  afterAll(async () => {
    await client.close();
    await sweeping.close();
  });

  interface Stored {
    _id: string;
    version: number;
    expiresAt: number;
    removeAt: Date;
    principal?: string;
    fields: Record<string, string>;
  }
  async function ready(count: { live: number; expired: number }) {
    const collection: Collection<Stored> = client.db().collection(newName());
    const driver = mongodbDriver({ collection });
    await driver.setup();
    const now = Date.now();
    const live: string[] = [];
    const fields = new Map([["a/x", "x".repeat(100)]]);
    const total = count.live + count.expired;
    for (let i = 0; i < total; i += 1_000) {
      const documents = Array.from({ length: Math.min(1_000, total - i) }, (_, j): Stored => {
        // Expired and live records alternate, while there are both.
        const dead =
          Math.floor(((i + j + 1) * count.expired) / total) > Math.floor(((i + j) * count.expired) / total);
        const _id = newId();
        if (!dead) live.push(_id);
        const expiresAt = dead ? now - HOUR - i - j : now + HOUR + i + j;
        return { _id, ...newDocument({ expiresAt, principal: `u${j}`, fields }, now) };
      });
      await collection.insertMany(documents);
    }
    return { collection, driver, live };
  }

  const ferretdb = mongodb.version.startsWith("FerretDB");
  const count = mongodb.emulator ? 400 : ferretdb ? 5_000 : 100_000;
  const size = { live: count, expired: count };
  test(`${size.expired} expired among ${size.live + size.expired} records are swept beside commits, none of which is lost`, async () => {
    const { collection, driver, live } = await ready(size);
    let longest = 0;
    const note = ({ duration }: { duration: number }): void => {
      longest = Math.max(longest, duration);
    };
    sweeping.on("commandSucceeded", note);
    onTestFinished(() => void sweeping.off("commandSucceeded", note));
    const sweeper = mongodbDriver({
      collection: sweeping.db().collection(collection.collectionName),
      timeout: "30s",
    });
    const figures = await sweepBesideCommits({
      sweeper,
      writer: driver,
      live,
      expired: size.expired,
      batch: mongodb.emulator ? 100 : 1_000,
    });
    console.log("swept", { ...figures, longestCommand: longest });
    expect(await collection.countDocuments()).toBe(size.live);
  }, 600_000);

  describe(`a real server (${mongodb.emulator ? NOT_RUN : mongodb.version})`, () => {
    const real = mongodb.emulator ? test.skip : test;

    /** The server's plan for a command of the driver, by its own EXPLAIN. */
    async function planOf(command: Document): Promise<string> {
      const { lsid, $clusterTime, $db, $readPreference, txnNumber, maxTimeMS, writeConcern, ...sent } =
        command;
      const asked = { ...sent };
      // Of a pair of updates the first is explained; the second has the same condition without the version.
      if (nameOf(command) === "update") asked["updates"] = [sent["updates"][0]];
      delete asked["readConcern"];
      const answer = await client.db().command({ explain: asked, verbosity: "queryPlanner" });
      const planner = answer["queryPlanner"] ?? answer["stages"]?.[0]?.$cursor?.queryPlanner;
      // FerretDB's is PostgreSQL's.
      return JSON.stringify(planner.winningPlan ?? planner.Plan).replaceAll('"Index Name"', '"indexName"');
    }

    real("every statement goes by an index", async () => {
      const { driver } = await ready({ live: 2_000, expired: 2_000 });
      const now = Date.now();
      const id = await begin(driver, { principal: "u7" });
      const change = { fields: new Map([["a/x", "1"]]) };
      const calls: [string, () => Promise<unknown>, RegExp][] = [
        ["load", () => driver.load(id), /IDHACK|EXPRESS|"indexName":"_id_"/],
        ["commit", () => driver.commit(id, change, now), /IDHACK|EXPRESS|"indexName":"_id_"/],
        [
          "if version",
          () => driver.commit(id, { ...change, ifVersion: 2 }, now),
          /EXPRESS|"indexName":"_id_"/,
        ],
        ["sweep", () => driver.sweep({ after: 0, before: now, limit: 100 }), /"indexName":"expiresAt_1"/],
        ["list", () => driver.list({ limit: 100, cursor: "8" }, now), /EXPRESS|"indexName":"_id_"/],
        [
          "a principal's list",
          () => driver.list({ principal: "u7", limit: 100, cursor: "8" }, now),
          /"indexName":"principal_1__id_1"/,
        ],
        ["destroy", () => driver.destroy(id, now), /EXPRESS|"indexName":"_id_"/],
      ];
      for (const [name, call, index] of calls) {
        const [first] = await commandsOf(client, call);
        // It explains nothing but reads.
        if (ferretdb && first && nameOf(first) !== "find") continue;
        const plan = first ? await planOf(first) : "nothing was sent";
        expect(plan, name).toMatch(index);
        // FerretDB sorts what it found by the index.
        expect(plan, name).not.toMatch(/COLLSCAN|"stage":"SORT"|"Seq Scan"/);
      }
    });

    real(
      "its TTL thread removes what removeAt says, and nothing else",
      async () => {
        const { collection, driver } = await ready({ live: 0, expired: 0 });
        const now = Date.now();
        const due = await begin(driver);
        const expired = await begin(driver, { expiresAt: now - 1 });
        const live = await begin(driver);
        // The server's TTL thread runs once a minute, unless a user with that permission sets another interval.
        const admin = client.db("admin");
        const sooner = await admin
          .command({ setParameter: 1, ttlMonitorSleepSecs: 1 })
          .catch(() => undefined);
        onTestFinished(async () => {
          if (sooner) await admin.command({ setParameter: 1, ttlMonitorSleepSecs: 60 });
        });
        await collection.updateOne({ _id: due }, { $set: { removeAt: new Date(now - 1_000) } });
        await vi.waitFor(async () => expect(await driver.load(due)).toBeUndefined(), {
          timeout: 150_000,
          interval: 500,
        });
        expect(await driver.load(expired)).toBeDefined();
        expect(await driver.load(live)).toBeDefined();
      },
      180_000,
    );

    real("a document that grows beyond 16 MB is refused, and stays as it was", async () => {
      const { driver } = await ready({ live: 0, expired: 0 });
      const nine = "x".repeat(9 * 2 ** 20);
      const id = await begin(driver, { fields: new Map([["a/x", nine]]) });
      for (const ifVersion of [undefined, 1])
        await expect(
          driver.commit(id, { fields: new Map([["a/y", nine]]), ifVersion }, Date.now()),
        ).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
      const record = await driver.load(id);
      expect(record?.version).toBe(1);
      expect([...(record?.fields.keys() ?? [])]).toEqual(["a/x"]);
    });

    // FerretDB has no replica sets.
    (ferretdb ? test.skip : real)(
      "where the primary of three is stepped down under load, nothing acknowledged is lost",
      async () => {
        const set = await startMongodbReplicaSet(3);
        if (!set) return expect.unreachable("the service was real, but no mongod is here to start three of");
        onTestFinished(set.stop);
        const replicated = new MongoClient(set.url);
        onTestFinished(() => replicated.close());
        await replicated.connect();
        const driver = mongodbDriver({ client: replicated, collection: newName(), timeout: "5s" });
        await driver.setup();
        const id = await begin(driver);

        const writers = 10;
        const attempted: number[] = Array.from({ length: writers }, () => 0);
        const acknowledged: number[] = Array.from({ length: writers }, () => 0);
        let commits = 0;
        let unknown = 0;
        let running = true;
        const write = async (writer: number) => {
          while (running) {
            const next = (attempted[writer] ?? 0) + 1;
            attempted[writer] = next;
            try {
              const fields = new Map([[`w/${writer}`, String(next)]]);
              expect(await driver.commit(id, { fields }, Date.now())).toBe("committed");
              acknowledged[writer] = next;
              commits++;
            } catch (error) {
              if (!(error instanceof DriverUnavailableError)) throw error;
              unknown++;
            }
          }
        };
        const all = Array.from({ length: writers }, (_, writer) => write(writer));
        try {
          for (let i = 0; i < 3; i++) {
            const before = commits;
            await vi.waitFor(() => expect(commits).toBeGreaterThan(before + 50), { timeout: 60_000 });
            // The answer may be lost with the connection.
            await replicated
              .db("admin")
              .command({ replSetStepDown: 5, force: true })
              .catch(() => {});
          }
          const before = commits;
          await vi.waitFor(() => expect(commits).toBeGreaterThan(before + 50), { timeout: 60_000 });
        } finally {
          running = false;
          await Promise.all(all);
        }

        console.log(`three step-downs: ${commits} commits acknowledged, ${unknown} unknown`);
        const record = await driver.load(id);
        for (let writer = 0; writer < writers; writer++) {
          const stored = Number(record?.fields.get(`w/${writer}`) ?? 0);
          expect(stored).toBeGreaterThanOrEqual(acknowledged[writer] ?? 0);
          expect(stored).toBeLessThanOrEqual(attempted[writer] ?? 0);
        }
        // Each once: the server recognised the client's repeats.
        expect(record?.version).toBeGreaterThanOrEqual(1 + commits);
        expect(record?.version).toBeLessThanOrEqual(1 + commits + unknown);
      },
      300_000,
    );
  });
});
