// A process of its own, because an error that a client leaves unhandled ends the process. It is told how to open a client
// of mariadb, and when the line is broken; it prints what its calls met, and ends when nothing of the client is left.
import { once } from "node:events";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type MysqlDriverOptions, mysqlDriver } from "@sessions/driver-mysql";
import knex from "knex";
import * as mariadb from "mariadb";
import * as mariadbCallback from "mariadb/callback";
import { Sequelize } from "sequelize";

interface Opened {
  readonly client: MysqlDriverOptions["client"];
  close(): unknown;
}

const [kind = "", url = "", table] = process.argv.slice(2);
const { hostname: host, port, username: user, password, pathname } = new URL(url);
const connection = { host, port: Number(port), user, password, database: pathname.slice(1) };

const open: Record<string, () => Opened> = {
  mariadb() {
    const client = mariadb.createPool(connection);
    return { client, close: () => client.end() };
  },
  Sequelize() {
    const options = { ...connection, username: user, dialectModule: mariadb, logging: false };
    const client = new Sequelize({ ...options, dialect: "mariadb" });
    return { client, close: () => client.close() };
  },
  knex() {
    const client = knex({ client: "mariadb", connection });
    return { client, close: () => client.destroy() };
  },
  "knex on a pool of mariadb"() {
    const pool = mariadbCallback.createPool(connection);
    // The types of knex do not have the option yet.
    const options: object = { client: "mariadb", connectionPool: pool };
    return { client: knex(options), close: () => pool.end(() => {}) };
  },
};
const opened = open[kind]?.();
if (!opened) throw new Error(`No client "${kind}"`);

const driver = mysqlDriver({ client: opened.client, table, timeout: 300 });
const outcome = () =>
  driver.load("none").then(
    () => "found",
    (error: unknown) => Reflect.get(Object(error), "code"),
  );
const outcomes = [await outcome()];
process.send?.("connected");
await once(process, "message");
outcomes.push(await outcome());
process.send?.("late");
await once(process, "message");
let last = await outcome();
for (let tries = 0; tries < 50 && last !== "found"; tries++) {
  await sleep(100);
  last = await outcome();
}
outcomes.push(last);
await opened.close();
console.log(outcomes.join(", "));
process.disconnect();
