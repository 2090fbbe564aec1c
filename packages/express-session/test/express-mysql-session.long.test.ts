import { startProxy } from "@sessions/conformance/proxy";
import { service } from "@sessions/test-services";
import mysqlSession from "express-mysql-session";
import session from "express-session";
import { createConnection } from "mysql2/promise";
import { afterAll } from "vitest";
import { NO_SIZES, prefixed, testStore } from "./kit.ts";

const mysql = service("mysql");
if (mysql) {
  const proxy = await startProxy(mysql.url);
  const { hostname: host, port, username, password, pathname } = new URL(proxy.url);
  const tableName = `express_${process.pid}`;
  const Store = mysqlSession(session);
  const store = new Store({
    host,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    clearExpired: false,
    schema: { tableName },
  });
  await store.onReady();
  afterAll(async () => {
    await store.close();
    const connection = await createConnection(mysql.url);
    await connection.query(`DROP TABLE ${tableName}`);
    await connection.end();
    await proxy.close();
  });
  testStore("express-mysql-session", 10_000, (namespace) => prefixed(store, namespace), {
    outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
    exclude: [{ rule: "R9.8", reason: NO_SIZES }],
  });
}
