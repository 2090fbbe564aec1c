import { setTimeout } from "node:timers/promises";
import { inspect } from "node:util";
import { withService } from "@sessions/driver-tests";
import { createPool } from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";
import { type MysqlExecutor, type MysqlResult, mysqlDriver } from "../src/index.ts";
import { begin, expectAllMethods, newTable } from "./support.ts";

await withService("mysql", async (service) => {
  /** An executor over one connection, which changes what the client returned; and the statements that it sent. */
  function executorWith(form: (result: MysqlResult) => MysqlResult, connection?: object) {
    const pool = createPool({ uri: service.url, rowsAsArray: true });
    onTestFinished(() => pool.end());
    const sent: string[] = [];
    const executor: MysqlExecutor = {
      async lease(work) {
        const lent = await pool.getConnection();
        try {
          return await work({
            connection,
            discard: () => lent.destroy(),
            async send(sql) {
              sent.push(sql);
              const [answer] = await lent.query(sql);
              if (Array.isArray(answer)) return form({ rows: answer });
              const { affectedRows, insertId, serverStatus } = Object(answer);
              return form({ rows: [], affectedRows, insertId, inTransaction: (serverStatus & 1) === 1 });
            },
          });
        } finally {
          lent.release();
        }
      },
    };
    return { executor, sent };
  }

  async function driverOn(client: MysqlExecutor) {
    const driver = mysqlDriver({ client, table: newTable() });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    return driver;
  }

  describe("an executor that an application writes is taken as the client, in whatever form its results come", () => {
    const bytesOf = (value: unknown) => (value === null ? null : new TextEncoder().encode(String(value)));
    test.each<[string, (result: MysqlResult) => MysqlResult]>([
      ["as the client gave them", (result) => result],
      ["rows as objects", ({ rows, ...rest }) => ({ ...rest, rows: rows.map((row) => ({ ...row })) })],
      [
        "texts",
        ({ rows, ...rest }) => ({
          ...rest,
          rows: rows.map((row) => Object.values(row).map((it) => it && String(it))),
        }),
      ],
      [
        "bytes",
        ({ rows, ...rest }) => ({ ...rest, rows: rows.map((row) => Object.values(row).map(bytesOf)) }),
      ],
      [
        "counts as BigInt",
        (it) => ({ ...it, affectedRows: BigInt(it.affectedRows ?? 0), insertId: BigInt(it.insertId ?? 0) }),
      ],
      [
        "counts as texts",
        (it) => ({ ...it, affectedRows: `${it.affectedRows}`, insertId: `${it.insertId}` }),
      ],
    ])("%s", async (_, form) => {
      await expectAllMethods(executorWith(form).executor);
    });
  });

  describe("where results do not tell whether a transaction is open", () => {
    const untold = ({ inTransaction: _, ...result }: MysqlResult): MysqlResult => result;
    const asked = (sent: string[]) => sent.filter((sql) => sql === "SELECT @@autocommit").length;

    test("each new connection is asked for autocommit, once", async () => {
      const { executor, sent } = executorWith(untold, {});
      const driver = await driverOn(executor);
      await driver.load(await begin(driver));
      expect(asked(sent)).toBe(1);
    });

    test("a connection is asked for an open transaction before each call, and refused in one", async () => {
      let isOpen = false;
      const { executor, sent } = executorWith((result) => {
        if (isOpen) throw Object.assign(new Error("of alice"), { errno: 1568 });
        return untold(result);
      }, {});
      const driver = await driverOn(executor);
      const id = await begin(driver);
      sent.length = 0;
      await driver.load(id);
      expect(sent[0]).toBe("SET TRANSACTION READ WRITE");
      expect(sent).toHaveLength(2);
      isOpen = true;
      sent.length = 0;
      await expect(driver.load(id)).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect(sent).toEqual(["SET TRANSACTION READ WRITE"]);
      isOpen = false; // the table is removed
    });

    test("a connection with autocommit off is refused, and nothing else is sent on it", async () => {
      const off = executorWith(({ rows, ...rest }) => ({ ...rest, rows: rows.map(() => [0]) }), {});
      const driver = mysqlDriver({ client: off.executor, table: newTable() });
      await expect(begin(driver)).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect(off.sent).toEqual(["SET TRANSACTION READ WRITE", "SELECT @@autocommit"]);
    });

    test("and no connection is named, writes are refused", async () => {
      const driver = await driverOn(executorWith(untold).executor);
      await expect(begin(driver)).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
    });
  });

  test("results that tell it cost no question", async () => {
    const { executor, sent } = executorWith((result) => result);
    const driver = await driverOn(executor);
    sent.length = 0;
    await driver.load(await begin(driver));
    expect(sent).toHaveLength(2);
  });

  test("a connection that comes after the call has timed out goes back as it came", async () => {
    const { executor, sent } = executorWith((result) => result, {});
    const seen: string[] = [];
    const late: MysqlExecutor = {
      async lease(work) {
        await setTimeout(100);
        return executor
          .lease((lease) => work({ ...lease, discard: () => void seen.push("discarded") }))
          .finally(() => seen.push("given back"));
      },
    };
    const driver = mysqlDriver({ client: late, table: newTable(), timeout: 20 });
    for (const call of [() => driver.load("none"), () => begin(driver), () => driver.setup()])
      await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    await expect.poll(() => seen).toEqual(Array(3).fill("given back"));
    expect(sent).toEqual([]);
  });

  test("an error of the server is not shown, whatever its form", async () => {
    const secret = "of alice";
    const client: MysqlExecutor = {
      lease: (work) =>
        work({
          discard() {},
          send: () =>
            Promise.reject(Object.assign(new Error(`Duplicate entry '${secret}'`), { errno: 1062 })),
        }),
    };
    const error: unknown = await begin(mysqlDriver({ client, table: "t" })).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE", cause: { errno: 1062 } });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  });
});
