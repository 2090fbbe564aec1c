import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, testBytes, withService } from "@sessions/driver-tests";
import { MongoClient } from "mongodb";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { fromUrl, mongodbDriver } from "../src/index.ts";
import { begin, newId, newName } from "./support.ts";

await withService("mongodb", async (mongodb) => {
  const proxy = await startProxy(mongodb.url);
  // A long interval, so that none of the client's own health checks is counted.
  const client = new MongoClient(proxy.url, { heartbeatFrequencyMS: 60_000, serverMonitoringMode: "poll" });
  // The tests must see the connection break; by default the client repeats a read on another one.
  const once = new URL(proxy.url);
  once.searchParams.set("retryReads", "false");
  const healing = new MongoClient(once.href);
  afterAll(async () => {
    await client.close();
    await healing.close();
    await proxy.close();
  });
  async function open(one: MongoClient, timeout: number) {
    const driver = mongodbDriver({ client: one, collection: newName(), timeout });
    await vi.waitFor(() => driver.setup(), { timeout: 10_000 });
    return driver;
  }

  testBytes({ open: () => open(client, 2000), proxy, most: 600 });

  describe("client", () => testBrokenLine(() => open(healing, 500), proxy));

  test("a commit that waited in the client until its time was up is not done when the server is back", async () => {
    const driver = await open(healing, 500);
    const id = await begin(driver);
    onTestFinished(() => proxy.restore());
    await proxy.cut();
    const unavailable = { code: "ERR_SESSION_UNAVAILABLE" };
    // After the first failure the client knows that there is no server, and lets calls wait for one.
    await expect(driver.load(id)).rejects.toMatchObject(unavailable);
    const now = Date.now();
    for (const ifVersion of [undefined, 1]) {
      const change = { fields: new Map([["a/x", "late"]]), ifVersion };
      await expect(driver.commit(id, change, now)).rejects.toMatchObject(unavailable);
    }
    await proxy.restore();
    await vi.waitFor(() => driver.load(id), { timeout: 10_000 });
    expect(await driver.commit(id, { fields: new Map([["a/y", "1"]]) }, now)).toBe("committed");
    expect(await driver.load(id)).toMatchObject({ version: 2, fields: new Map([["a/y", "1"]]) });
  });

  describe("fromUrl", () => {
    testBrokenLine(async () => {
      const driver = await fromUrl(once.href, { collection: newName(), timeout: 500 });
      onTestFinished(() => driver.close());
      await vi.waitFor(() => driver.setup(), { timeout: 10_000 });
      return driver;
    }, proxy);

    test("does not wait for the server, and works once it is there", async () => {
      const later = await startProxy(mongodb.url);
      onTestFinished(() => later.close());
      await later.cut();
      const driver = await fromUrl(later.url, { collection: newName(), timeout: 300 });
      onTestFinished(() => driver.close());
      const change = { fields: new Map([["a/x", "1"]]), ifVersion: 1 };
      for (const call of [() => driver.load(newId()), () => driver.commit(newId(), change, Date.now())])
        await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
      await later.restore();
      await vi.waitFor(() => driver.setup(), { timeout: 10_000 });
      const id = await begin(driver);
      expect((await driver.load(id))?.version).toBe(1);
    });

    test("keeps sessions in the database that the URL names, and closes what it opened", async () => {
      const name = newName();
      const url = new URL(mongodb.url);
      url.pathname = "/mine";
      const driver = await fromUrl(url.href, { collection: name });
      await driver.setup();
      const id = await begin(driver);
      expect(await healing.db("mine").collection<{ _id: string }>(name).countDocuments({ _id: id })).toBe(1);
      await driver.close();
      await expect(driver.load(id)).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    });

    test("a port without a server ends no process, and close ends the tries", async () => {
      const closed = await startProxy(mongodb.url);
      await closed.close();
      const driver = await fromUrl(`mongodb://user:secret@127.0.0.1:${closed.port}`, { timeout: 200 });
      const error = await driver.load(newId()).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
      expect(String(error)).not.toContain("secret");
      await driver.close();
    });
  });
});
