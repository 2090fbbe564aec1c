import { readFile } from "node:fs/promises";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ListTablesCommand,
  PutItemCommand,
  type PutItemCommandInput,
  ScanCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { isProvisionedDriver } from "@sessions/core";
import { type ObjectCase, testFirstUse, testObjects, withService } from "@sessions/driver-tests";
import { describe, expect, onTestFinished, test } from "vitest";
import { dynamodbDriver } from "../src/index.ts";
import { begin, clientOf, newId, newTable, openGateway, prepare } from "./support.ts";

type Item = NonNullable<PutItemCommandInput["Item"]>;

const attribute = (AttributeName: string, AttributeType: "S" | "N" = "S") => ({
  AttributeName,
  AttributeType,
});
const hash = (AttributeName: string) => ({ AttributeName, KeyType: "HASH" }) as const;

function tableInput(
  TableName: string,
  changes: Partial<CreateTableCommandInput> = {},
): CreateTableCommandInput {
  return {
    TableName,
    AttributeDefinitions: [attribute("id"), attribute("principal")],
    KeySchema: [hash("id")],
    GlobalSecondaryIndexes: [
      { IndexName: "principal", KeySchema: [hash("principal")], Projection: { ProjectionType: "KEYS_ONLY" } },
    ],
    BillingMode: "PAY_PER_REQUEST",
    ...changes,
  };
}

await withService("dynamodb", async (service) => {
  /** A table that the test makes. */
  async function own(changes?: Partial<CreateTableCommandInput>) {
    const client = clientOf(service.url);
    const table = newTable();
    const input = tableInput(table, changes);
    await client.send(new CreateTableCommand(input));
    onTestFinished(async () => {
      await client.send(new DeleteTableCommand({ TableName: table })).catch(() => {});
      client.destroy();
    });
    return { client, table, driver: dynamodbDriver({ client, table }) };
  }
  const describeAll = async (client: ReturnType<typeof clientOf>, table: string) => {
    const { Table: found } = await client.send(new DescribeTableCommand({ TableName: table }));
    const { TimeToLiveDescription: ttl } = await client.send(
      new DescribeTimeToLiveCommand({ TableName: table }),
    );
    const [index, ...others] = found?.GlobalSecondaryIndexes ?? [];
    return {
      attributes: found?.AttributeDefinitions?.map((one) => JSON.stringify(one)).sort(),
      key: found?.KeySchema,
      billing: found?.BillingModeSummary?.BillingMode,
      index: [index?.IndexName, index?.KeySchema, index?.Projection],
      others,
      ttl,
    };
  };

  testFirstUse(test, "TTL that is off", async () => {
    const { driver, client, table } = await prepare(service.url);
    const off = { AttributeName: "ttl", Enabled: false };
    const drop = () =>
      client.send(new UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification: off }));
    return { driver, drop };
  });

  describe("check names", () => {
    test("a missing table, and nothing after setup", async () => {
      const client = clientOf(service.url);
      const table = newTable();
      const driver = dynamodbDriver({ client, table });
      onTestFinished(async () => {
        await driver.teardown();
        client.destroy();
      });
      expect(isProvisionedDriver(driver)).toBe(true);
      expect(await driver.check()).toEqual([`The table ${table} is missing: run setup()`]);
      await driver.setup();
      expect(await driver.check()).toEqual([]);
      // It leaves nothing behind.
      expect((await driver.list({ limit: 10 }, 0)).records).toEqual([]);
    });

    test("another key, which setup and teardown leave alone", async () => {
      for (const changes of [
        { AttributeDefinitions: [attribute("pk"), attribute("principal")], KeySchema: [hash("pk")] },
        { AttributeDefinitions: [attribute("id", "N"), attribute("principal")] },
        {
          AttributeDefinitions: [attribute("id"), attribute("principal"), attribute("sk")],
          KeySchema: [hash("id"), { AttributeName: "sk", KeyType: "RANGE" as const }],
        },
      ]) {
        const { driver, client, table } = await own(changes);
        expect(await driver.check()).toEqual([expect.stringMatching(/has another key than id \(S\)/)]);
        await expect(driver.setup()).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
        await expect(driver.teardown()).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
        await expect(begin(driver)).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
        await client.send(new DescribeTableCommand({ TableName: table }));
      }
    });

    test("a missing index, which setup adds and keeps the records", async () => {
      const billings: Partial<CreateTableCommandInput>[] = [
        {},
        {
          BillingMode: "PROVISIONED",
          ProvisionedThroughput: { ReadCapacityUnits: 7, WriteCapacityUnits: 8 },
        },
      ];
      for (const billing of billings) {
        const { driver, client, table } = await own({
          AttributeDefinitions: [attribute("id")],
          GlobalSecondaryIndexes: undefined,
          ...billing,
        });
        const id = await begin(driver, { principal: "alice" });
        expect(await driver.check()).toEqual([
          expect.stringMatching(/The index principal of .* is missing: run setup\(\)/),
          expect.stringMatching(/TTL is not enabled/),
        ]);
        await expect(driver.list({ principal: "alice", limit: 1 }, 0)).rejects.toMatchObject({
          code: "ERR_SESSION_SETUP",
        });
        await driver.setup();
        expect(await driver.check()).toEqual([]);
        const { records } = await driver.list({ principal: "alice", limit: 1 }, 0);
        expect(records.map((record) => record.id)).toEqual([id]);
        const { Table: found } = await client.send(new DescribeTableCommand({ TableName: table }));
        if (billing.ProvisionedThroughput)
          expect(found?.GlobalSecondaryIndexes?.[0]?.ProvisionedThroughput).toMatchObject(
            billing.ProvisionedThroughput,
          );
      }
    });

    test("an index on something else, and one that makes every commit dearer", async () => {
      const index = { IndexName: "principal", Projection: { ProjectionType: "KEYS_ONLY" as const } };
      const other = await own({
        AttributeDefinitions: [attribute("id"), attribute("user")],
        GlobalSecondaryIndexes: [{ ...index, KeySchema: [hash("user")] }],
      });
      expect(await other.driver.check()).toContainEqual(
        expect.stringMatching(/index principal of .* has another key than principal \(S\): remove it/),
      );
      for (const Projection of [
        { ProjectionType: "ALL" as const },
        { ProjectionType: "INCLUDE" as const, NonKeyAttributes: ["expiresAt"] },
      ]) {
        const dear = await own({
          GlobalSecondaryIndexes: [{ IndexName: "principal", KeySchema: [hash("principal")], Projection }],
        });
        expect(await dear.driver.check()).toContainEqual(
          expect.stringMatching(
            new RegExp(`projects ${Projection.ProjectionType}, .* remove it, and run setup`),
          ),
        );
      }
    });

    test("an index that is still being made", async () => {
      const { driver, client } = await prepare(service.url);
      client.middlewareStack.add(
        (next) => async (args) => {
          const answer = await next(args);
          if ("Table" in answer.output)
            for (const index of answer.output.Table?.GlobalSecondaryIndexes ?? [])
              index.IndexStatus = "CREATING";
          return answer;
        },
        { step: "initialize" },
      );
      expect(await driver.check()).toEqual([
        expect.stringMatching(/The index principal of .* is CREATING: wait until it is ACTIVE/),
      ]);
    });

    test("TTL that is off, and on another attribute", async () => {
      const { driver, client, table } = await own();
      expect(await driver.check()).toEqual([
        `TTL is not enabled on ${table}, so that expired records stay: run setup()`,
      ]);
      await client.send(
        new UpdateTimeToLiveCommand({
          TableName: table,
          TimeToLiveSpecification: { AttributeName: "expires", Enabled: true },
        }),
      );
      expect(await driver.check()).toEqual([expect.stringMatching(/TTL of .* goes by expires.*disable it/)]);
      await expect(driver.setup()).rejects.toMatchObject({
        code: "ERR_SESSION_SETUP",
        message: expect.stringMatching(/TTL on ttl of .* cannot be enabled/),
      });
    });

    test.each(["PutItem", "UpdateItem", "DeleteItem", "GetItem", "BatchGetItem", "Query", "Scan"])(
      "a missing permission: %s",
      async (action) => {
        const gateway = await openGateway(service.url);
        const { driver } = await prepare(service.url, { client: clientOf(gateway.url) });
        expect(await driver.check()).toEqual([]);
        gateway.instead = (operation) =>
          operation === action ? { status: 400, type: "AccessDeniedException" } : undefined;
        expect(await driver.check()).toEqual([
          expect.stringMatching(new RegExp(`no permission for dynamodb:${action} on .*: allow it`)),
        ]);
      },
    );

    test("an outage is no finding", async () => {
      const gateway = await openGateway(service.url);
      const { driver } = await prepare(service.url, { client: clientOf(gateway.url) });
      gateway.instead = () => "end";
      await expect(driver.check()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
      gateway.instead = (operation) => (operation === "PutItem" ? "end" : undefined);
      await expect(driver.check()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    });
  });

  describe("setup", () => {
    test("reports what it waits for, and does nothing where nothing is missing", async () => {
      const client = clientOf(service.url);
      const table = newTable();
      const messages: string[] = [];
      const driver = dynamodbDriver({ client, table, onProgress: (message) => void messages.push(message) });
      onTestFinished(async () => client.destroy());
      await driver.setup();
      expect(messages[0]).toBe(`dynamodb: the table ${table} is being created`);
      messages.length = 0;
      await driver.setup();
      expect(messages).toEqual([]);
      await driver.teardown();
      expect(messages[0]).toBe(`dynamodb: the table ${table} is being removed`);
      messages.length = 0;
      await driver.teardown();
      expect(messages).toEqual([]);
    });

    test("waits for what is being made, or removed, by others", async () => {
      const { table } = await prepare(service.url);
      const statuses = ["CREATING", "UPDATING", "DELETING"];
      const seen: string[] = [];
      const own = clientOf(service.url);
      own.middlewareStack.add(
        (next) => async (args) => {
          const answer = await next(args);
          const status = "Table" in answer.output && statuses.shift();
          if (status) Object.assign(answer.output, { Table: { TableStatus: status } });
          return answer;
        },
        { step: "initialize" },
      );
      onTestFinished(() => own.destroy());
      const driver = dynamodbDriver({ client: own, table, onProgress: (message) => void seen.push(message) });
      await driver.setup();
      expect(seen).toEqual([
        `dynamodb: the table ${table} is CREATING`,
        `dynamodb: the table ${table} is UPDATING`,
        `dynamodb: the table ${table} is DELETING`,
      ]);
      statuses.push("ARCHIVED");
      await expect(driver.setup()).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
      statuses.push("ARCHIVED");
      expect(await driver.check()).not.toEqual([]);
    });

    test("from many processes at once adds what is missing once, and none fails", async () => {
      const { client, table } = await own({
        AttributeDefinitions: [attribute("id")],
        GlobalSecondaryIndexes: undefined,
      });
      await Promise.all(Array.from({ length: 8 }, () => dynamodbDriver({ client, table }).setup()));
      expect(await dynamodbDriver({ client, table }).check()).toEqual([]);
      await Promise.all(Array.from({ length: 8 }, () => dynamodbDriver({ client, table }).teardown()));
      expect(await dynamodbDriver({ client, table }).check()).toEqual([expect.stringMatching(/is missing/)]);
      await Promise.all(Array.from({ length: 8 }, () => dynamodbDriver({ client, table }).setup()));
      expect(await dynamodbDriver({ client, table }).check()).toEqual([]);
    });

    test("passes on the service's reason for a refusal", async () => {
      const gateway = await openGateway(service.url);
      const { table } = await own({
        AttributeDefinitions: [attribute("id")],
        GlobalSecondaryIndexes: undefined,
      });
      gateway.instead = (operation) =>
        /^(UpdateTable|DeleteTable)$/.test(operation)
          ? { status: 400, type: "ValidationException", message: "too many" }
          : undefined;
      const client = clientOf(gateway.url);
      onTestFinished(() => client.destroy());
      const driver = dynamodbDriver({ client, table });
      await expect(driver.setup()).rejects.toMatchObject({
        code: "ERR_SESSION_SETUP",
        message: `dynamodb: the index principal of ${table} cannot be made: too many`,
      });
      // An empty table without the index would not be the driver's.
      await begin(driver);
      await expect(driver.teardown()).rejects.toMatchObject({
        code: "ERR_SESSION_SETUP",
        message: `dynamodb: the table ${table} cannot be removed: too many`,
      });
    });

    test("teardown names a protection from deletion, and what to do", async () => {
      const { driver, client, table } = await prepare(service.url);
      client.middlewareStack.add(
        (next) => async (args) => {
          const answer = await next(args);
          // DynamoDB Local has no such protection.
          if ("Table" in answer.output)
            Object.assign(answer.output.Table ?? {}, { DeletionProtectionEnabled: true });
          return answer;
        },
        { step: "initialize", name: "protect" },
      );
      await expect(driver.teardown()).rejects.toMatchObject({
        code: "ERR_SESSION_SETUP",
        message: `dynamodb: the table ${table} is protected from deletion. Switch that off, and call teardown() again.`,
      });
      client.middlewareStack.remove("protect");
      expect(await driver.check()).toEqual([]);
    });

    test("fails in time where the service cannot be reached, or is silent", async () => {
      const gateway = await openGateway(service.url);
      const client = clientOf(gateway.url);
      onTestFinished(() => client.destroy());
      const driver = dynamodbDriver({ client, table: newTable(), timeout: 300 });
      for (const instead of ["silence", "end"] as const) {
        gateway.instead = () => instead;
        for (const call of [driver.setup, driver.check, driver.teardown]) {
          const begun = performance.now();
          await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
          expect(performance.now() - begun).toBeLessThan(3 * 300);
        }
      }
    });

    test("is undone by teardown, which removes only its own table", async () => {
      const { driver, client, table } = await prepare(service.url);
      const other = await own();
      await begin(driver);
      await driver.teardown();
      const { TableNames: names = [] } = await client.send(new ListTablesCommand({}));
      expect(names).not.toContain(table);
      expect(names).toContain(other.table);
    });
  });

  const objectCase = (
    what: string,
    foreign: boolean,
    changes: Partial<CreateTableCommandInput>,
    write: (put: (item: Item) => Promise<unknown>) => Promise<unknown>,
  ): ObjectCase => {
    let made: Awaited<ReturnType<typeof own>>;
    let before: number | undefined;
    const count = async () => {
      const scan = new ScanCommand({ TableName: made.table, Select: "COUNT" });
      return (await made.client.send(scan).catch(() => undefined))?.Count;
    };
    return {
      what,
      foreign,
      async make() {
        made = await own(changes);
        await write((Item) => made.client.send(new PutItemCommand({ TableName: made.table, Item })));
        before = await count();
        return made.driver;
      },
      isThere: async () => before !== undefined && (await count()) === before,
    };
  };
  const bare = { AttributeDefinitions: [attribute("id")], GlobalSecondaryIndexes: undefined };
  const session = (): Item => ({
    ...{ id: { S: newId() }, version: { N: "1" }, expiresAt: { N: "1" }, ttl: { N: "9999999999" } },
    "a/x": { S: "1" },
  });
  testObjects(test, [
    objectCase("a table of another library, whose key is the same", true, bare, (put) =>
      put({ id: { S: "sess:1" }, expires: { N: "5" }, sess: { S: "{}" } }),
    ),
    objectCase("a table with versions of its own", true, bare, (put) =>
      put({ id: { S: "settings" }, version: { N: "2" } }),
    ),
    objectCase("one foreign item among sessions", true, bare, async (put) => {
      await Promise.all(Array.from({ length: 50 }, () => put(session())));
      await put({ id: { S: "5" }, expiresAt: { S: "tomorrow" } });
    }),
    objectCase(
      "a table with another key",
      true,
      { ...bare, AttributeDefinitions: [attribute("id", "N")] },
      (put) => put({ ...session(), id: { N: "1" } }),
    ),
    objectCase("a table whose index is gone", false, bare, (put) => put(session())),
    objectCase("a table with a session that is damaged", false, {}, (put) => {
      const { version, ...damaged } = session();
      return put(damaged);
    }),
    objectCase("an empty table of its own", false, {}, async () => {}),
  ]);

  test("teardown leaves an empty table that another application made, until setup() has taken it over", async () => {
    const { driver, client, table } = await own(bare);
    const names = async () => (await client.send(new ListTablesCommand({}))).TableNames;
    await driver.teardown();
    expect(await names()).toContain(table);
    await driver.setup();
    await driver.teardown();
    expect(await names()).not.toContain(table);
  });

  test("the definition in the README makes what setup() makes", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const [, json = ""] = /```json\n(\{[^`]*"CreateTable"[^`]*)```/.exec(readme) ?? [];
    const definition: {
      CreateTable: CreateTableCommandInput;
      TimeToLiveSpecification: { AttributeName: string; Enabled: boolean };
    } = JSON.parse(json);
    const { client, table } = await prepare(service.url);
    const byHand = newTable();
    expect(definition.CreateTable.TableName).toBe("sessions");
    await client.send(new CreateTableCommand({ ...definition.CreateTable, TableName: byHand }));
    onTestFinished(async () => void (await client.send(new DeleteTableCommand({ TableName: byHand }))));
    await client.send(
      new UpdateTimeToLiveCommand({
        TableName: byHand,
        TimeToLiveSpecification: definition.TimeToLiveSpecification,
      }),
    );
    expect(await describeAll(client, byHand)).toEqual(await describeAll(client, table));
    expect(await dynamodbDriver({ client, table: byHand }).check()).toEqual([]);
  });
});
