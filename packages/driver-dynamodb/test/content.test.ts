import type { Change } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import { expect, test } from "vitest";
import { commitInput } from "../src/statements.ts";
import { begin, clientOf, HOUR, newId, openGateway, prepare } from "./support.ts";

const TOO_LARGE = { code: "ERR_SESSION_TOO_LARGE" };
/** A number of fields that does not fit into an expression. */
const many = (text: string | null, count = 301) =>
  new Map(Array.from({ length: count }, (_, i) => [`many/${i}`, text] as const));

await withService("dynamodb", async (service) => {
  test("a commit of many fields has the same effect as one of few", async () => {
    const { driver } = await prepare(service.url);
    const now = Date.now();
    const few = new Map<string, string | null>([
      ["a/set", "new"],
      ["a/empty", ""],
      ["a/deleted", null],
      ["a/never", null],
      ["-a/__proto__", "x"],
      ["__proto__/x", "y"],
    ]);
    const changes: [string, Partial<Change>, number][] = [
      ["fields", {}, now],
      ["a principal", { principal: "bob" }, now],
      ["no principal", { principal: null }, now],
      ["an expiry", { expiresAt: now + 2 * HOUR }, now],
      ["all at once", { expiresAt: now + 2 * HOUR, principal: "bob", ifVersion: 1 }, now],
      ["the right version", { ifVersion: 1 }, now],
      ["a lower version", { ifVersion: 0 }, now],
      ["a higher version", { ifVersion: 10, principal: "bob" }, now],
      ["an end", { expiresAt: now }, now],
      ["after its end", {}, now + HOUR],
      ["after its end, with a version", { ifVersion: 7 }, now + HOUR],
      ["a moment before its end", { ifVersion: 1 }, now + HOUR - 1],
    ];
    for (const [name, change, at] of changes) {
      const results = await Promise.all(
        [few, new Map([...few, ...many(null)])].map(async (fields) => {
          const principal = "alice";
          const id = await begin(driver, {
            expiresAt: now + HOUR,
            principal,
            fields: new Map([
              ["a/set", "old"],
              ["a/deleted", "there"],
              ["a/kept", "kept"],
            ]),
          });
          return [await driver.commit(id, { fields, ...change }, at), await driver.load(id)];
        }),
      );
      expect(results[1], name).toEqual(results[0]);
    }
    // Without a record, too.
    expect(await driver.commit(newId(), { fields: many("x") }, now)).toBe("gone");
    expect(await driver.commit(newId(), { fields: many("x"), ifVersion: 1 }, now)).toBe("gone");
  });

  test("the largest commit that is an expression fits into the service's 4 KB", async () => {
    const { driver } = await prepare(service.url);
    const now = Date.now();
    const id = await begin(driver, { principal: "alice" });
    const change = {
      fields: new Map([...many("x", 148), ...many(null, 297)]),
      expiresAt: now + 2 * HOUR,
      principal: "bob",
      ifVersion: 1,
    };
    const input = commitInput("t", id, change, 1, now);
    expect(Object.keys(input.ExpressionAttributeNames ?? {})).toHaveLength(302);
    expect(input.UpdateExpression?.length).toBeLessThan(4_096);
    expect(await driver.commit(id, change, now)).toBe("committed");
    const over = commitInput("t", id, { fields: many("x", 301) }, undefined, now);
    expect(over.UpdateExpression).toBeUndefined();
    expect(Object.keys(over.AttributeUpdates ?? {})).toHaveLength(302);
    expect(await driver.commit(id, { fields: many("x", 301) }, now)).toBe("committed");
    expect((await driver.load(id))?.version).toBe(3);
  });

  test("a record of maxRecordBytes fits, with the longest principal", async () => {
    const { driver } = await prepare(service.url);
    const now = Date.now();
    const size = driver.maxRecordBytes ?? 0;
    expect(size).toBeGreaterThan(400_000);
    const fields = new Map([["a/large", "x".repeat(size - "a/large".length)]]);
    const id = await begin(driver, { fields, principal: "ß".repeat(127), expiresAt: 8.64e15 });
    expect((await driver.load(id))?.fields).toEqual(fields);
    const small = await begin(driver);
    expect(await driver.commit(small, { fields, principal: "p".repeat(255) }, now)).toBe("committed");
    expect((await driver.load(small))?.fields).toEqual(fields);
  });

  test("a change that is too large is refused before it is sent; one that is so only with the rest, by the service", async () => {
    const gateway = await openGateway(service.url);
    const { driver } = await prepare(service.url, { client: clientOf(gateway.url) });
    const now = Date.now();
    const id = await begin(driver, { fields: new Map([["a/first", "x".repeat(250_000)]]) });
    const before = await driver.load(id);
    gateway.asked.length = 0;
    const huge = new Map([["a/second", "ß".repeat(210_000)]]);
    await expect(driver.commit(id, { fields: huge }, now)).rejects.toMatchObject(TOO_LARGE);
    await expect(begin(driver, { fields: huge })).rejects.toMatchObject(TOO_LARGE);
    expect(gateway.asked).toEqual([]);
    const large = new Map([["a/second", "x".repeat(250_000)]]);
    for (const fields of [large, new Map([...large, ...many("x")])])
      await expect(driver.commit(id, { fields, expiresAt: now, ifVersion: 1 }, now)).rejects.toMatchObject(
        TOO_LARGE,
      );
    expect(gateway.asked).toEqual(["UpdateItem", "UpdateItem"]);
    expect(await driver.load(id)).toEqual(before);
    // Between the two: larger than an item, but only with the driver's own attributes.
    const edge = new Map([["a/x", "x".repeat(409_600 - 20)]]);
    await expect(begin(driver, { fields: edge })).rejects.toMatchObject(TOO_LARGE);
  });

  test("a principal's listing requests again what one reply could not hold", async () => {
    const { driver, client } = await prepare(service.url);
    const ids = await Promise.all(Array.from({ length: 60 }, () => begin(driver, { principal: "alice" })));
    const sizes: number[] = [];
    // As the service does above 16 MB, which a page of DynamoDB Local's index never reaches.
    client.middlewareStack.add(
      (next) => async (args) => {
        const [[table, asked] = ["", { Keys: undefined }]] = Object.entries(
          "RequestItems" in args.input ? (args.input.RequestItems ?? {}) : {},
        );
        if (!("Keys" in asked) || asked.Keys === undefined) return next(args);
        const some = { ...asked, Keys: asked.Keys.slice(0, 7) };
        sizes.push(asked.Keys.length);
        const answer = await next({ ...args, input: { RequestItems: { [table]: some } } });
        const rest = asked.Keys.slice(7);
        if (rest.length > 0)
          Object.assign(answer.output, { UnprocessedKeys: { [table]: { ...asked, Keys: rest } } });
        return answer;
      },
      { step: "initialize" },
    );
    const { records, cursor } = await driver.list({ principal: "alice", limit: 1_000 }, Date.now());
    expect(sizes).toEqual([60, 53, 46, 39, 32, 25, 18, 11, 4]);
    expect(records.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(cursor).toBeUndefined();
  });

  test("an item that is not the driver's is no record", async () => {
    const { DeleteItemCommand, PutItemCommand } = await import("@aws-sdk/client-dynamodb");
    const { driver, client, table } = await prepare(service.url);
    const id = newId();
    await client.send(new PutItemCommand({ TableName: table, Item: { id: { S: id }, other: { S: "x" } } }));
    expect(await driver.load(id)).toBeUndefined();
    expect(await driver.commit(id, { fields: new Map(), ifVersion: 1 }, Date.now())).toBe("gone");
    expect(await driver.sweep({ after: 0, before: Date.now(), limit: 10 })).toBe(0);
    expect((await driver.list({ limit: 10 }, Date.now())).records).toEqual([]);
    // With this item, teardown would leave the table.
    await client.send(new DeleteItemCommand({ TableName: table, Key: { id: { S: id } } }));
  });
});
