import { withService } from "@sessions/driver-tests";
import mysql from "mysql";
import mysql2 from "mysql2";
import { createPool } from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import { type AnyMysqlClientLike, mysqlDriver } from "../src/index.ts";
import { addressOf, begin, openDriver } from "./support.ts";

await withService("mysql", async (service) => {
  const one = { ...addressOf(service.url), connectionLimit: 1 };

  /** Releases a connection to its pool in a transaction that has read the table. */
  const clients: Record<string, (read: string) => Promise<AnyMysqlClientLike>> = {
    async "mysql2 with promises"(read) {
      const pool = createPool(one);
      onTestFinished(() => pool.end());
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      await connection.query(read);
      connection.release();
      return pool;
    },
    async "mysql2 with promises, and its own way to read"(read) {
      const pool = createPool({ ...one, typeCast: () => "not what it was" });
      onTestFinished(() => pool.end());
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      await connection.query(read);
      connection.release();
      return pool;
    },
    "mysql2 with callbacks": (read) => leave(mysql2.createPool(one), read),
    // The package mysql cannot log in on a MySQL of today.
    ...(service.version.startsWith("MariaDB") && {
      mysql: (read: string) => leave(mysql.createPool(one), read),
    }),
  };

  interface CallbackConnection {
    beginTransaction(done: (error: unknown) => void): void;
    query(sql: string, done: (error: unknown) => void): unknown;
    release(): void;
  }
  interface CallbackPool {
    getConnection(done: (error: unknown, connection: CallbackConnection) => void): void;
    end(done: () => void): void;
  }
  async function leave<Pool extends CallbackPool>(pool: Pool, read: string): Promise<Pool> {
    onTestFinished(() => new Promise<void>((resolve) => pool.end(resolve)));
    await new Promise<void>((resolve, reject) => {
      pool.getConnection((failure, connection) => {
        if (failure) reject(failure);
        connection.beginTransaction(() => {
          connection.query(read, (error) => {
            connection.release();
            if (error) reject(error);
            resolve();
          });
        });
      });
    });
    return pool;
  }

  test.each(Object.entries(clients))(
    "what %s reads in a transaction that was left open is not taken for the newest",
    async (_, open) => {
      const { table, driver } = await openDriver({ uri: service.url });
      const id = await begin(driver);
      const client = await open(`SELECT * FROM ${table}`);
      expect(await driver.destroy(id, Date.now())).toBe(true);
      const left = mysqlDriver({ client, table });
      await expect(left.load(id)).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
      // The driver has ended that connection.
      expect(await left.load(id)).toBeUndefined();
    },
  );
});
