import { inspect } from "node:util";
import { SessionConfigError } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type DynamodbDriverOptions, dynamodbDriver, fromUrl } from "../src/index.ts";
import { begin, newId, newTable, openGateway, prepare } from "./support.ts";

describe("a bad option is named", () => {
  const client = { send: () => Promise.reject(new Error()), config: {} };
  test.each<[Record<string, unknown>, RegExp]>([
    [
      {},
      /client must be a DynamoDBClient of @aws-sdk\/client-dynamodb or a DynamoDBDocumentClient; got undefined/,
    ],
    [{ client: "dynamodb://key:hunter2@host:1" }, /client must be .* got "string"/],
    [{ client: { send: () => {} } }, /client must be a DynamoDBClient .* got "object"/],
    [{ client, table: "" }, /table must be 3 to 255 of A-Z a-z 0-9 _ \. -; got ""/],
    [{ client, table: "ab" }, /table must be/],
    [{ client, table: "a/b/c" }, /table must be/],
    [{ client, table: "x".repeat(256) }, /table must be/],
    [{ client, table: "abc\n" }, /table must be/],
    [{ client, table: 5 }, /table must be .* got 5/],
    [{ client, timeout: "soon" }, /timeout must be a duration .* got "soon"/],
    [{ client, timeout: 0 }, /timeout must be/],
    [{ client, onProgress: "yes" }, /onProgress must be a function; got "yes"/],
    [{ client, ttl: 5 }, /dynamodbDriver: unknown option "ttl"\. Known: client, table, timeout, onProgress/],
    [{ client, tabel: "abc" }, /dynamodbDriver: unknown option "tabel"\. Did you mean "table"\?/],
  ])("%j", (options, message) => {
    let thrown: unknown;
    try {
      dynamodbDriver(options as unknown as DynamodbDriverOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SessionConfigError);
    expect(String(thrown)).toMatch(message);
    expect(inspect(thrown)).not.toContain("hunter2");
  });

  test.each([
    "",
    "dynamodb:",
    "dynamodb://",
    "dynamodb:///sessions",
    "http://key:hunter2@127.0.0.1:8000",
    "dynamodb://key:hunter2@somewhere/table",
    "dynamodb://key:hunter2@ho st:8000",
    "dynamodb://key@127.0.0.1:8000",
    "dynamodb://:hunter2@127.0.0.1:8000",
    "dynamodb://key:hunter2%zz@127.0.0.1:8000",
    "dynamodb://key:hunter2@127.0.0.1:8000/a/b",
    "dynamodb://key:hunter2@127.0.0.1:8000/table?region=hunter2",
    "dynamodb://key:hunter2@us-east-1/table?endpoint=hunter2",
    "dynamodb://key:hunter2@us-east-1/table?endpoint=ftp://hunter2",
    "dynamodb://us-east-1/table#hunter2",
  ])("a URL that is none is refused without being shown: %#", async (url) => {
    const thrown = await fromUrl(url).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SessionConfigError);
    expect(inspect(thrown)).not.toContain("hunter2");
    expect(inspect(thrown)).toContain("dynamodb://eu-central-1/sessions");
  });

  test("a parameter of the URL that is misspelt is named, and its value is not", async () => {
    const thrown = await fromUrl("dynamodb://key:hunter2@127.0.0.1:8000/table?regoin=hunter3").catch(
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(SessionConfigError);
    expect(String(thrown)).toContain(
      'dynamodbDriver fromUrl: unknown option "?regoin". Did you mean "?region"?',
    );
    expect(inspect(thrown)).not.toMatch(/hunter/);
  });

  test("a table in the URL that is none is named, and so are options", async () => {
    await expect(fromUrl("dynamodb://us-east-1/ab")).rejects.toThrow(/table must be/);
    await expect(fromUrl("dynamodb://us-east-1/", { timeout: 0 })).rejects.toThrow(/timeout must be/);
    const misspelt: object = { prefix: "x" };
    await expect(fromUrl("dynamodb://us-east-1/", misspelt)).rejects.toThrow(
      /fromUrl: unknown option "prefix"/,
    );
  });
});

await withService("dynamodb", async (service) => {
  test("fromUrl uses table, key, region and endpoint", async () => {
    const gateway = await openGateway(service.url);
    const address = gateway.url.replace("dynamodb://", "");
    const { driver: direct, table } = await prepare(service.url);
    const id = await begin(direct);
    const urls: [string, string][] = [
      [`dynamodb://${address}/${table}`, "Credential=local/DATE/us-east-1/"],
      [`dynamodb://${address}/${table}?region=eu-west-3`, "Credential=local/DATE/eu-west-3/"],
      [`dynamodb://AKIA:a%2Fb%40c@${address}/${table}`, "Credential=AKIA/DATE/us-east-1/"],
      [`dynamodb://ap-south-1/${table}?endpoint=http://${address}`, "Credential=local/DATE/ap-south-1/"],
      [
        `dynamodb://AKIA:s@us-gov-west-1/${table}?endpoint=${encodeURIComponent(`http://${address}`)}`,
        "Credential=AKIA/DATE/us-gov-west-1/",
      ],
    ];
    for (const [url, credential] of urls) {
      const driver = await fromUrl(url);
      gateway.headers.length = 0;
      expect((await driver.load(id))?.version, url).toBe(1);
      expect(gateway.headers[0]?.authorization?.replace(/\/\d{8}\//, "/DATE/")).toContain(credential);
      await driver.close();
    }
  });

  test("an option goes before the URL's table, and a URL without one has the standard's", async () => {
    const { driver: direct, table } = await prepare(service.url);
    const id = await begin(direct);
    const driver = await fromUrl(`${service.url}/elsewhere`, { table });
    onTestFinished(() => driver.close());
    expect((await driver.load(id))?.version).toBe(1);
    for (const end of ["", "/"]) {
      const standard = await fromUrl(`${service.url}${end}`);
      onTestFinished(() => standard.close());
      expect(await standard.check()).toEqual(["The table sessions is missing: run setup()"]);
    }
  });

  test("a region without a port is the service itself, by its own address and with the SDK's credentials", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIA");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    // No request is sent: nothing listens on the port.
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1");
    onTestFinished(() => void vi.unstubAllEnvs());
    const driver = await fromUrl("dynamodb://eu-central-1/sessions", { timeout: 500 });
    onTestFinished(() => driver.close());
    await expect(driver.load(newId())).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
      message: expect.stringMatching(/ECONNREFUSED|no answer/),
    });
  });

  test("close ends the connections", async () => {
    const gateway = await openGateway(service.url);
    const driver = await fromUrl(`${gateway.url}/${newTable()}`);
    await expect(driver.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
    expect(await gateway.connections()).toBe(1);
    await driver.close();
    await vi.waitFor(async () => expect(await gateway.connections()).toBe(0));
  });
});
