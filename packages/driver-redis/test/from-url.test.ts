import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { begin, newId, ownServer } from "./support.ts";

const PACKAGES = ["redis", "ioredis", "iovalkey"] as const;

/** Throws what Node throws where a package is missing. The runner would hide an error of the whole module. */
function fail(name: string): never {
  throw Object.assign(new Error(`Cannot find package '${name}'`), { code: "ERR_MODULE_NOT_FOUND" });
}

/** The driver where only one of the packages can be found, or none. */
async function installedWith(installed?: string): Promise<typeof import("../src/index.ts")> {
  vi.resetModules();
  for (const name of PACKAGES) {
    if (name === installed) vi.doUnmock(name);
    else
      vi.doMock(name, () => ({
        get createClient() {
          return fail(name);
        },
        get Redis() {
          return fail(name);
        },
      }));
  }
  return import("../src/index.ts");
}

test("where no client is installed, the error names those that would do", async () => {
  const { fromUrl } = await installedWith();
  await expect(fromUrl("redis://user:hunter2@localhost")).rejects.toMatchObject({
    code: "ERR_SESSION_CONFIG",
    message: expect.stringMatching(/^(?!.*hunter2).*redis, ioredis or iovalkey, and none can be found/),
  });
});

await withService("redis", async (redis) => {
  describe.each(PACKAGES)("fromUrl where only %s is installed", async (name) => {
    let fromUrl: Awaited<ReturnType<typeof installedWith>>["fromUrl"];
    beforeAll(async () => {
      ({ fromUrl } = await installedWith(name));
    });
    const line = await startProxy(redis.url);
    afterAll(() => line.close());

    testBrokenLine(async () => {
      const driver = await fromUrl(line.url, { prefix: `line_${newId()}:`, timeout: 300 });
      onTestFinished(() => driver.close());
      return driver;
    }, line);

    test("uses the user, the password and the database of the URL, and closes what it opened", async () => {
      const { url, client } = await ownServer();
      await client.aclSetUser("app", ["on", ">p%40/ss", "~*", "+@all"]);
      const { host } = new URL(url);
      const driver = await fromUrl(`redis://app:p%2540%2Fss@${host}/3`, { prefix: "app:" });
      const id = await begin(driver);
      await client.select(3);
      expect(await client.keys("*")).toEqual([`app:${id}`]);
      const users = async () => (await client.clientList()).map(({ user }) => user).sort();
      expect(await users()).toEqual(["app", "default"]);
      await driver.close();
      await vi.waitFor(async () => expect(await users()).toEqual(["default"]));
      await expect(driver.load(id)).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    });

    test("does not wait for the server, and works once it is there", async () => {
      await line.cut();
      onTestFinished(line.restore);
      const driver = await fromUrl(line.url, { prefix: `later_${newId()}:`, timeout: 300 });
      onTestFinished(() => driver.close());
      await expect(driver.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
      await line.restore();
      const id = await vi.waitFor(() => begin(driver), { timeout: 10_000 });
      expect((await driver.load(id))?.version).toBe(1);
    });

    test.each(["cut", "stall"] as const)("close() ends where the line was %s", async (trouble) => {
      onTestFinished(line.restore);
      const driver = await fromUrl(line.url, { prefix: `close_${newId()}:`, timeout: 200 });
      await vi.waitFor(() => begin(driver), { timeout: 10_000 });
      await line[trouble]();
      await expect(driver.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
      await driver.close();
    });

    test.each(["redis://host/name", "redis://host/1/2", "redis://us%zzer:hunter2@host"])(
      "refuses %s, and does not show it",
      async (url) => {
        await expect(fromUrl(url)).rejects.toMatchObject({
          code: "ERR_SESSION_CONFIG",
          message: expect.not.stringContaining("hunter2"),
        });
      },
    );
  });
});
