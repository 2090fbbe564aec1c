import process from "node:process";
import { BatchWriteItemCommand, type WriteRequest } from "@aws-sdk/client-dynamodb";
import { sweepBesideCommits, withService } from "@sessions/driver-tests";
import { describe, expect, test } from "vitest";
import { dynamodbDriver } from "../src/index.ts";
import { begin, clientOf, HOUR, newId, openGateway, prepare } from "./support.ts";

/** Half of them have expired. 200,000 take minutes on DynamoDB Local. */
const RECORDS = Number(process.env["SESSIONS_TEST_DYNAMODB_RECORDS"] ?? 20_000);

await withService("dynamodb", async (service) => {
  test(`${RECORDS / 2} expired among ${RECORDS} records, while commits go on`, {
    timeout: 900_000,
  }, async () => {
    const { driver, client, table } = await prepare(service.url, { timeout: 10_000 });
    const now = Date.now();
    const live: string[] = [];
    const put = (i: number): WriteRequest => {
      const id = newId();
      if (i % 2 === 0 && live.length < 400) live.push(id);
      const expiresAt = i % 2 === 0 ? now + HOUR : now - 1 - i;
      return {
        PutRequest: {
          Item: {
            id: { S: id },
            version: { N: "1" },
            expiresAt: { N: `${expiresAt}` },
            ttl: { N: `${Math.ceil(now / 1000) + 7_200}` },
            "a/filler": { S: "x".repeat(100) },
          },
        },
      };
    };
    let next = 0;
    const seed = async () => {
      while (next < RECORDS) {
        const batch: WriteRequest[] = [];
        while (batch.length < 25 && next < RECORDS) batch.push(put(next++));
        await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: batch } }));
      }
    };
    await Promise.all(Array.from({ length: 8 }, seed));

    const figures = await sweepBesideCommits({
      sweeper: driver,
      writer: dynamodbDriver({ client, table, timeout: 10_000 }),
      live,
      expired: RECORDS / 2,
      batch: 1_000,
    });
    console.log(`swept beside commits: ${JSON.stringify(figures)}`);
  });

  describe("the scans of sweeps", () => {
    test("go on where the last one ended, and read a table twice in all, however many calls there are", async () => {
      const gateway = await openGateway(service.url);
      const { driver } = await prepare(service.url, { client: clientOf(gateway.url) });
      const now = Date.now();
      // About 40 pages of 1 MB; expired and live records alternate.
      const fields = new Map([["a/filler", "x".repeat(200_000)]]);
      let begun = 0;
      const create = async () => {
        while (begun < 200) {
          const i = begun++;
          await driver.create(newId(), { expiresAt: i % 2 ? now + HOUR : now + 1, fields }, now);
        }
      };
      await Promise.all(Array.from({ length: 8 }, create));
      gateway.asked.length = 0;
      const counts: number[] = [];
      for (let count = -1; count !== 0; counts.push(count))
        count = await driver.sweep({ after: 0, before: now + 2, limit: 7 });
      expect(counts.reduce((sum, count) => sum + count)).toBe(100);
      expect(Math.max(...counts)).toBe(7);
      const scans = gateway.asked.filter((operation) => operation === "Scan").length;
      console.log(`a table of 40 MB, 100 expired, 7 a call: ${counts.length} calls, ${scans} scans of 1 MB`);
      // Each call reads one page; without a kept place they would read half of the table 15 times.
      expect(scans).toBeLessThan(40 + 20 + counts.length + 2);
    });

    test("what expired behind the place is found by the same call", async () => {
      const { driver } = await prepare(service.url);
      const now = Date.now();
      const ids = await Promise.all(
        Array.from({ length: 20 }, () => begin(driver, { expiresAt: now + 1_000 })),
      );
      const range = { after: 0, before: now + 1_001 };
      expect(await driver.sweep({ ...range, limit: 15 })).toBe(15);
      const more = await Promise.all(
        Array.from({ length: 20 }, () => begin(driver, { expiresAt: now + 1_000 })),
      );
      let removed = 15;
      for (let count = -1; count !== 0; removed += count)
        count = await driver.sweep({ ...range, limit: 100 });
      expect(removed).toBe(40);
      for (const id of [...ids, ...more]) expect(await driver.load(id)).toBeUndefined();
    });

    test("a sweep returns 0 only after it has read the whole table, wherever it began", async () => {
      const { driver } = await prepare(service.url);
      const now = Date.now();
      for (let round = 0; round < 10; round++) {
        // The last removal leaves the place at an end of the table, or near it.
        const ids = await Promise.all(
          Array.from({ length: 8 }, () => begin(driver, { expiresAt: now + 1_000 })),
        );
        let left = ids.length;
        while (left > 0) {
          const count = await driver.sweep({ after: 0, before: now + 1_001, limit: 3 });
          expect(count).toBeGreaterThan(0);
          left -= count;
        }
      }
      expect(await driver.sweep({ after: 0, before: now + 1_001, limit: 3 })).toBe(0);
    });
  });

  test("several drivers that sweep at once remove each record once", async () => {
    const { driver, client, table } = await prepare(service.url);
    const now = Date.now();
    await Promise.all(Array.from({ length: 100 }, () => begin(driver, { expiresAt: now + 1_000 })));
    const counts = await Promise.all(
      [0, 1, 2, 3].map(async () => {
        const own = dynamodbDriver({ client, table });
        let removed = 0;
        for (let count = -1; count !== 0; removed += count)
          count = await own.sweep({ after: 0, before: now + 1_001, limit: 10 });
        return removed;
      }),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(100);
  });
});
