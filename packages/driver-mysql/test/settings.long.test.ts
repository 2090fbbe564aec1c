import { testDriver } from "@sessions/conformance";
import { withService } from "@sessions/driver-tests";
import { createPool } from "mysql2/promise";
import { afterAll, describe, expect, test } from "vitest";
import { mysqlDriver } from "../src/index.ts";
import { begin, change, openDriver, openPool } from "./support.ts";

await withService("mysql", async (service) => {
  /** A pool that runs these statements on each new connection, as another part of an application may do. */
  function poolWith(statements: string[], options = {}) {
    const pool = createPool({ uri: service.url, ...options });
    pool.pool.on("connection", (connection) => {
      // The client runs them before the next statement on the connection.
      for (const sql of statements) connection.query(sql, () => {});
    });
    return pool;
  }

  const simultaneous = service.version.startsWith("MariaDB") ? ",SIMULTANEOUS_ASSIGNMENT" : "";
  const pools = {
    "READ COMMITTED": poolWith(["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"]),
    "SERIALIZABLE, and rows as arrays": poolWith(["SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE"], {
      ...{ rowsAsArray: true, namedPlaceholders: true, jsonStrings: true, dateStrings: true },
      ...{ bigNumberStrings: true, supportBigNumbers: true },
    }),
    "latin1, and other unusual settings": poolWith(
      [
        `SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE${simultaneous}'`,
        "SET SESSION time_zone = '+05:45', sql_safe_updates = 1, sql_select_limit = 1",
      ],
      {
        charset: "latin1_swedish_ci",
        timezone: "-11:00",
        bigNumberStrings: true,
        supportBigNumbers: true,
        namedPlaceholders: true,
        rowsAsArray: false,
        typeCast: () => "not what it was",
        flags: "-FOUND_ROWS",
        queryFormat: (sql: string) => sql.replace(/[:?]\w*/g, "NULL"),
      },
    ),
    "strict and old, and rows by their tables": poolWith(
      ["SET SESSION sql_mode = 'TRADITIONAL', unique_checks = 0, big_tables = 1"],
      { charset: "utf8mb4_general_ci", flags: "-FOUND_ROWS", nestTables: true },
    ),
  };
  afterAll(async () => {
    for (const pool of Object.values(pools)) await pool.end();
  });
  for (const [kind, client] of Object.entries(pools))
    describe(`mysql: pool with ${kind}`, () => {
      testDriver({
        test,
        target: {
          name: "mysql",
          open: (namespace, about) =>
            mysqlDriver({ client, table: namespace, timeout: about?.outage ? 1_000 : 4_000 }),
        },
      });
    });

  test("connections in latin1 and in utf8mb4 read each other's records", async () => {
    const { table, driver } = await openDriver({ uri: service.url });
    const latin = mysqlDriver({ client: pools["latin1, and other unusual settings"], table });
    const id = await begin(latin, { "a/x": "ä😀\\'\"" });
    expect((await driver.load(id))?.fields.get("a/x")).toBe("ä😀\\'\"");
    await driver.commit(id, change({ "a/x": "€𝄞:x?" }), Date.now());
    expect((await latin.load(id))?.fields.get("a/x")).toBe("€𝄞:x?");
  });

  test("with autocommit off, reads (perhaps old) and writes (not kept) are refused", async () => {
    const { table, driver } = await openDriver({ uri: service.url });
    const id = await begin(driver);
    const client = poolWith(["SET SESSION autocommit = 0"], { connectionLimit: 1 });
    const off = mysqlDriver({ client, table });
    const now = Date.now();
    for (const call of [() => off.load(id), () => off.commit(id, change({ "a/x": "1" }), now)])
      await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
    expect((await driver.load(id))?.version).toBe(1);
    // And no lock is left behind.
    expect(await driver.commit(id, change({ "a/x": "2" }), now)).toBe("committed");
    await client.end();
  });

  test("a single connection with an open transaction of the application is refused", async () => {
    const { table, driver } = await openDriver({ uri: service.url });
    const id = await begin(driver);
    const pool = openPool({ uri: service.url });
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    const inside = mysqlDriver({ client: connection, table });
    await expect(inside.commit(id, change({ "a/x": "1" }), Date.now())).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
    });
    await connection.rollback();
    connection.release();
  });
});
