import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { startProxy } from "@sessions/conformance/proxy";
import type { Driver } from "@sessions/core";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { dynamodbDriver, fromUrl } from "../src/index.ts";
import { begin, clientOf, HOUR, type Instead, newId, newTable, openGateway, prepare } from "./support.ts";

const UNAVAILABLE = { code: "ERR_SESSION_UNAVAILABLE" };
const x = new Map([["a/x", "1"]]);

/** Always repeats, as a user's own retry strategy may. */
const stubborn: NonNullable<DynamoDBClientConfig["retryStrategy"]> = {
  acquireInitialRetryToken: async () => ({ getRetryCount: () => 0, getRetryDelay: () => 0 }),
  async refreshRetryTokenForRetry(token) {
    if (token.getRetryCount() === 4) throw new Error("enough");
    return { getRetryCount: () => token.getRetryCount() + 1, getRetryDelay: () => 0 };
  },
  recordSuccess: () => {},
};

/** Every method that writes. */
const writes: Record<string, (driver: Driver, id: string) => Promise<unknown>> = {
  create: (driver) => driver.create(newId(), { expiresAt: Date.now() + HOUR, fields: x }, Date.now()),
  commit: (driver, id) => driver.commit(id, { fields: x }, Date.now()),
  "commit with ifVersion": (driver, id) => driver.commit(id, { fields: x, ifVersion: 1 }, Date.now()),
  "commit of 1,000 fields": (driver, id) =>
    driver.commit(
      id,
      { fields: new Map(Array.from({ length: 1_000 }, (_, i) => [`a/${i}`, "1"])) },
      Date.now(),
    ),
  touch: (driver, id) => driver.commit(id, { fields: new Map(), expiresAt: Date.now() + HOUR }, Date.now()),
  destroy: (driver, id) => driver.destroy(id, Date.now()),
};

await withService("dynamodb", async (service) => {
  describe("the line", () => {
    const table = newTable();
    const direct = clientOf(service.url);
    beforeAll(() => dynamodbDriver({ client: direct, table }).setup());
    afterAll(async () => {
      await dynamodbDriver({ client: direct, table }).teardown();
      direct.destroy();
    });

    describe("of a client as the SDK makes it", async () => {
      const proxy = await startProxy(service.url);
      const client = clientOf(proxy.url);
      afterAll(async () => {
        client.destroy();
        await proxy.close();
      });
      testBrokenLine(() => dynamodbDriver({ client, table, timeout: 500 }), proxy);
    });

    describe("of fromUrl", async () => {
      const proxy = await startProxy(service.url);
      afterAll(() => proxy.close());
      testBrokenLine(async () => {
        const driver = await fromUrl(proxy.url, { table, timeout: 500 });
        onTestFinished(() => driver.close());
        return driver;
      }, proxy);
    });
  });

  describe("a write whose outcome is unknown reaches the service once", () => {
    const outcomes: [string, Instead][] = [
      ["no answer", "silence"],
      ["a line that ends", "end"],
      ["a line that ends after it was done", "end after it was done"],
      ["500", { status: 500, type: "InternalServerError" }],
      ["503", { status: 503, type: "ServiceUnavailable" }],
      ["408", { status: 408, type: "RequestTimeoutException" }],
    ];
    const strategies: [string, DynamoDBClientConfig][] = [
      ["the SDK's strategy", {}],
      ["the adaptive one", { retryMode: "adaptive" }],
      ["one that always repeats", { retryStrategy: stubborn }],
    ];
    describe.each(strategies)("with %s", (_, config) => {
      test.each(outcomes)("%s", async (_, instead) => {
        const gateway = await openGateway(service.url);
        const { driver: direct, table } = await prepare(service.url);
        const client = clientOf(gateway.url, config);
        onTestFinished(() => client.destroy());
        const driver = dynamodbDriver({ client, table, timeout: 1_500 });
        const ids = await Promise.all(Object.keys(writes).map(() => begin(direct)));
        gateway.instead = () => instead;
        const outcomes = await Promise.all(
          Object.entries(writes).map(async ([name, write], i) => [
            name,
            await write(driver, ids[i] ?? "").catch((error: unknown) => Object(error).code),
          ]),
        );
        expect(Object.fromEntries(outcomes)).toEqual(
          Object.fromEntries(Object.keys(writes).map((name) => [name, UNAVAILABLE.code])),
        );
        expect(gateway.asked.sort()).toEqual([
          "DeleteItem",
          "PutItem",
          ...["UpdateItem", "UpdateItem", "UpdateItem", "UpdateItem"],
        ]);
      });
    });

    test("a read is repeated", async () => {
      const gateway = await openGateway(service.url);
      const { driver } = await prepare(service.url, { client: clientOf(gateway.url) });
      const id = await begin(driver);
      const faults: Instead[] = ["end", { status: 500, type: "InternalServerError" }];
      gateway.asked.length = 0;
      gateway.instead = () => faults.shift();
      expect((await driver.load(id))?.version).toBe(1);
      expect(gateway.asked).toEqual(["GetItem", "GetItem", "GetItem"]);
    });
  });

  test.each(["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"])(
    "what the service refused with %s is sent again, and done once",
    async (type) => {
      const gateway = await openGateway(service.url);
      const { driver } = await prepare(service.url, { client: clientOf(gateway.url) });
      for (const [name, write] of Object.entries(writes)) {
        const id = await begin(driver);
        const faults: Instead[] = [{ status: 400, type }];
        gateway.asked.length = 0;
        gateway.instead = () => faults.shift();
        expect(await write(driver, id), name).toSatisfy(
          (answer) => answer === true || answer === "committed",
        );
        expect(gateway.asked, name).toHaveLength(2);
        gateway.instead = undefined;
      }
    },
  );

  test("a service that throttles for ever is DriverUnavailableError in time, and nothing goes on after it", async () => {
    const gateway = await openGateway(service.url);
    const { driver } = await prepare(service.url, {
      client: clientOf(gateway.url, { maxAttempts: 1_000 }),
      timeout: 400,
    });
    const id = await begin(driver);
    gateway.instead = () => ({ status: 400, type: "ThrottlingException" });
    const error = await driver.commit(id, { fields: x }, Date.now()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(UNAVAILABLE);
    gateway.instead = undefined;
    gateway.asked.length = 0;
    // Longer than the client's longest delay, because no event announces that it does not try again.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(gateway.asked).toEqual([]);
    expect((await driver.load(id))?.version).toBe(1);
  });

  test("what waits for a free connection when its time is up is not sent later", async () => {
    const gateway = await openGateway(service.url);
    const { driver } = await prepare(service.url, {
      client: clientOf(gateway.url, { requestHandler: { httpAgent: { maxSockets: 1 } } }),
      timeout: 300,
    });
    const id = await begin(driver);
    gateway.instead = (operation) => (operation === "GetItem" ? "silence" : undefined);
    const late = await Promise.allSettled([driver.load(id), driver.commit(id, { fields: x }, Date.now())]);
    expect(late.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    gateway.instead = undefined;
    expect((await driver.load(id))?.version).toBe(1);
    expect(gateway.asked).not.toContain("UpdateItem");
  });

  test("what waits for credentials when its time is up is not sent later", async () => {
    const gateway = await openGateway(service.url);
    let give: (credentials: { accessKeyId: string; secretAccessKey: string }) => void = () => {};
    const credentials = new Promise<{ accessKeyId: string; secretAccessKey: string }>((resolve) => {
      give = resolve;
    });
    const client = clientOf(gateway.url, { credentials: () => credentials });
    onTestFinished(() => client.destroy());
    const driver = dynamodbDriver({ client, timeout: 100 });
    await expect(driver.commit(newId(), { fields: x }, Date.now())).rejects.toMatchObject(UNAVAILABLE);
    give({ accessKeyId: "test", secretAccessKey: "test" });
    // By the end of this call, the other would have been sent.
    await driver.load(newId()).catch(() => {});
    expect(gateway.asked).toEqual(["GetItem"]);
  });

  describe("a client without permission or credentials", () => {
    test.each([
      ["AccessDeniedException", 400],
      ["UnrecognizedClientException", 400],
      ["ExpiredTokenException", 400],
    ])("%s is DriverUnavailableError", async (type, status) => {
      const gateway = await openGateway(service.url);
      gateway.instead = () => ({ status, type });
      const client = clientOf(gateway.url);
      onTestFinished(() => client.destroy());
      const driver = dynamodbDriver({ client });
      for (const call of [() => driver.load(newId()), () => driver.commit(newId(), { fields: x }, 0)])
        await expect(call()).rejects.toMatchObject({
          ...UNAVAILABLE,
          message: expect.stringContaining(type),
        });
    });

    test("missing credentials are DriverUnavailableError", async () => {
      const client = clientOf(service.url, { credentials: () => Promise.reject(new Error("none")) });
      onTestFinished(() => client.destroy());
      const driver = dynamodbDriver({ client });
      await expect(driver.load(newId())).rejects.toMatchObject(UNAVAILABLE);
    });
  });

  test("a missing table is SessionSetupError for every method", async () => {
    const client = clientOf(service.url);
    onTestFinished(() => client.destroy());
    const driver = dynamodbDriver({ client, table: newTable() });
    const calls = [
      ...Object.values(writes).map((write) => () => write(driver, newId())),
      () => driver.load(newId()),
      () => driver.sweep({ after: 0, before: 1, limit: 1 }),
      () => driver.list({ limit: 1 }, 0),
      () => driver.list({ limit: 1, principal: "alice" }, 0),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({
        code: "ERR_SESSION_SETUP",
        message: expect.stringMatching(/sessions\.setup\(\), or driver\.setup\(\)/),
      });
  });

  describe("the time to live goes by the service's clock", () => {
    const ttlOf = async (client: ReturnType<typeof clientOf>, table: string, id: string): Promise<number> => {
      const { GetItemCommand } = await import("@aws-sdk/client-dynamodb");
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: table, Key: { id: { S: id } } }),
      );
      return Number(item?.["ttl"]?.N) * 1000;
    };

    test.each([
      ["an old one", -400 * 24 * HOUR],
      ["one ahead", 400 * 24 * HOUR],
    ])("whatever the caller's is: %s", async (_, off) => {
      const { driver, client, table } = await prepare(service.url);
      const now = Date.now() + off;
      const id = newId();
      await driver.create(id, { expiresAt: now + HOUR, fields: x }, now);
      const expected = Date.now() + 2 * HOUR;
      expect(Math.abs((await ttlOf(client, table, id)) - expected)).toBeLessThan(10_000);
      await driver.commit(id, { fields: x }, now);
      expect(Math.abs((await ttlOf(client, table, id)) - expected)).toBeLessThan(10_000);
      await driver.commit(id, { fields: x, expiresAt: now + 5 * HOUR }, now);
      expect(Math.abs((await ttlOf(client, table, id)) - expected - 4 * HOUR)).toBeLessThan(10_000);
      await driver.commit(id, { fields: x, expiresAt: now - 5 * HOUR }, now);
      expect(Math.abs((await ttlOf(client, table, id)) - expected + HOUR)).toBeLessThan(10_000);
    });

    test("whatever this machine's is", async () => {
      const gateway = await openGateway(service.url);
      const { driver, client, table } = await prepare(service.url, { client: clientOf(gateway.url) });
      gateway.date = () => new Date(Date.now() + 7 * HOUR);
      // The service refuses a clock that is far off. The client learns from the reply how far, and only then may it write.
      const faults: Instead[] = [
        { status: 400, type: "InvalidSignatureException", message: "Signature expired" },
      ];
      gateway.instead = () => faults.shift();
      const id = newId();
      const create = () => driver.create(id, { expiresAt: Date.now() + HOUR, fields: x }, Date.now());
      await expect(create()).rejects.toMatchObject(UNAVAILABLE);
      expect(gateway.asked).toEqual(["PutItem"]);
      expect(await create()).toBe(true);
      expect(Math.abs((await ttlOf(client, table, id)) - Date.now() - 9 * HOUR)).toBeLessThan(10_000);
    });
  });

  test("fromUrl does not wait for the service, and works once it is there", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const address = free.address();
    free.close();
    await once(free, "close");
    const port = typeof address === "object" ? address?.port : undefined;
    const driver = await fromUrl(`dynamodb://127.0.0.1:${port}`, { timeout: 300 });
    onTestFinished(() => driver.close());
    await expect(driver.load(newId())).rejects.toMatchObject(UNAVAILABLE);
    // A proxy to the server, on the port that had none: earlier failures do not matter.
    const proxy = createServer((socket) => {
      const { hostname, port: target } = new URL(service.url.replace("dynamodb:", "http:"));
      const onward = connect(Number(target), hostname);
      for (const [from, to] of [
        [socket, onward],
        [onward, socket],
      ] as const)
        from
          .on("error", () => {})
          .on("close", () => to.destroy())
          .pipe(to);
    }).listen(port, "127.0.0.1");
    await once(proxy, "listening");
    onTestFinished(() => void proxy.close());
    await expect(driver.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
  });
});
