import { inspect } from "node:util";
import { withService } from "@sessions/driver-tests";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fromUrl, mysqlDriver } from "../src/index.ts";
import { begin, newId, openDriver } from "./support.ts";

const client = { getConnection: () => Promise.reject(new Error("never")) };

describe("options", () => {
  test.each([
    [{ tabel: "x" }, 'mysqlDriver: unknown option "tabel". Did you mean "table"?'],
    [{ table: "" }, 'table must be a name of 1 to 64 of A-Z a-z 0-9 _; got ""'],
    [{ table: "a`; DROP TABLE users; --" }, "table must be"],
    [{ table: "db.sessions" }, "table must be"],
    [{ table: "x".repeat(65) }, "table must be"],
    [{ timeout: "2 weeks" }, 'timeout must be a duration such as "30m", 1 ms or more; got "2 weeks"'],
    [{ timeout: 0 }, "timeout must be"],
    [{ client: undefined }, "an ORM on one of them, or a MysqlExecutor; got undefined"],
    [{ client: {} }, "client must be"],
    [
      { client: { getConnection() {}, of() {} } },
      'the primaries of a cluster of them (cluster.of("PRIMARY*"))',
    ],
  ])("%o is refused by name", (wrong, message) => {
    const options: object = { client, ...wrong };
    // @ts-expect-error as JavaScript may call it
    expect(() => mysqlDriver(options)).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringContaining(message) }),
    );
  });

  test("nothing is asked of the client before the first call", () => {
    expect(mysqlDriver({ client }).name).toBe("mysql");
  });
});

describe("fromUrl", () => {
  test.each([
    "mysql://root:hunter2@",
    "mysql://root:hunter2@host",
    "mysql://root:hunter2@host/",
    "mysql:root:hunter2",
    "postgres://root:hunter2@host/db",
    "mysql://root:hunter2@host:port/db",
    "mysql://root:hunter2%@host/db",
    "hunter2",
    "",
  ])("%s is refused without being shown", async (url) => {
    const error: unknown = await fromUrl(url).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("hunter2");
  });

  test("options are checked", async () => {
    await expect(fromUrl("mysql://h/d", { table: "" })).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
    await expect(fromUrl("mysql://h/d", { timeout: -1 })).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
    });
  });

  test("does not wait for the server, shows no password, and ends", async () => {
    // Nothing listens on port 1.
    const driver = await fromUrl("mysql://root:hunter2@127.0.0.1:1/db", { timeout: 500 });
    const error: unknown = await driver.load(newId()).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    expect(`${error} ${Object(error).cause}`).not.toContain("hunter2");
    await driver.close();
    await expect(driver.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  });
});

await withService("mysql", async (service) => {
  test("user, password and options are heeded, and close ends the connections", async () => {
    const { client: admin, table } = await openDriver({ uri: service.url });
    const user = newId();
    await admin.query("CREATE USER ? IDENTIFIED BY 'p%40ss/?'", [user]);
    onTestFinished(async () => {
      await admin.query("DROP USER ?", [user]);
    });
    await admin.query(`GRANT SELECT, INSERT, UPDATE ON ${table} TO ?`, [user]);
    const password = encodeURIComponent("p%40ss/?");
    const url = service.url.replace(/\/\/[^@]*@/, `//${user}:${password}@`);
    const driver = await fromUrl(`${url}?connectionLimit=1`, { table });
    await Promise.all([begin(driver), begin(driver), begin(driver)]);
    const connections = async () => {
      const [rows] = await admin.query("SELECT id FROM information_schema.processlist WHERE user = ?", [
        user,
      ]);
      return rows;
    };
    expect(await connections()).toHaveLength(1);
    await driver.close();
    await vi.waitFor(async () => expect(await connections()).toHaveLength(0), { timeout: 10_000 });
  });
});

test.each<[object, string]>([
  [{ tabel: "x" }, 'mysqlDriver fromUrl: unknown option "tabel". Did you mean "table"?'],
  [{ client: {} }, 'mysqlDriver fromUrl: unknown option "client"'],
])("fromUrl refuses %j", async (options, message) => {
  await expect(fromUrl("mysql://127.0.0.1:1/x", { ...options })).rejects.toThrow(message);
});

test("an option of the driver's in a URL is named, and the URL is not shown", async () => {
  const error: unknown = await fromUrl("mysql://root:hunter2@host/db?table=x").catch(
    (cause: unknown) => cause,
  );
  expect(error).toMatchObject({
    code: "ERR_SESSION_CONFIG",
    message:
      'mysqlDriver fromUrl: "table" is an option, not a parameter of the URL. Use fromUrl(url, { table })',
  });
});
