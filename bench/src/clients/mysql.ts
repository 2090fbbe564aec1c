import { type MysqlDriverOptions, mysqlDriver } from "@sessions/driver-mysql";
import * as mariadb from "mariadb";
import mysql from "mysql";
import mysql2 from "mysql2/promise";
import { EXPIRY, FILLER, idOf, rows } from "../backend.ts";
import type { Client } from "./client.ts";

interface Connected {
  readonly client: MysqlDriverOptions["client"];
  query(text: string, values: unknown[]): Promise<unknown>;
  close(): Promise<unknown>;
}

const SELECT = "SELECT version, expires_at, principal, fields FROM bench_client WHERE id = ?";
const UPDATE =
  "UPDATE bench_client SET fields = JSON_SET(fields, '$.\"a/x\"', ?), version = version + 1 WHERE id = ? AND expires_at > ?";

const ofMysql = (name: string, packages: string[], connect: (url: string) => Promise<Connected>): Client => ({
  ...{ driver: "mysql", name, packages, service: "mysql" },
  async open(url) {
    const { client, query, close } = await connect(url);
    await query(
      "CREATE TABLE IF NOT EXISTS bench_client (id VARBINARY(255) PRIMARY KEY, principal VARBINARY(255), version BIGINT, expires_at BIGINT, fields JSON)",
      [],
    );
    for (const row of rows)
      await query("REPLACE INTO bench_client VALUES (?, NULL, 1, ?, ?)", [
        idOf(row),
        EXPIRY,
        JSON.stringify({ "filler/x": FILLER }),
      ]);
    return {
      driver: (namespace, timeout) => mysqlDriver({ client, table: namespace, timeout }),
      bare: {
        load: (row) => query(SELECT, [idOf(row)]),
        commit: (row, text) => query(UPDATE, [text, idOf(row), Date.now()]),
      },
      close,
    };
  },
});

export const mysqlClients: readonly Client[] = [
  ofMysql("mysql2", ["mysql2"], async (url) => {
    const pool = mysql2.createPool(url);
    return { client: pool, query: (text, values) => pool.query(text, values), close: () => pool.end() };
  }),
  ofMysql("mariadb", ["mariadb"], async (url) => {
    const pool = mariadb.createPool(url.replace(/^mysql:/, "mariadb:"));
    return { client: pool, query: (text, values) => pool.query(text, values), close: () => pool.end() };
  }),
  {
    ...ofMysql("mysql", ["mysql"], async (url) => {
      const pool = mysql.createPool(url);
      return {
        client: pool,
        query: (text, values) =>
          new Promise((resolve, reject) => {
            pool.query(text, values, (error, answer) => (error ? reject(error) : resolve(answer)));
          }),
        close: () => new Promise((resolve) => pool.end(resolve)),
      };
    }),
    // It does not know the only way into MySQL 9.
    isOld: true,
  },
];
