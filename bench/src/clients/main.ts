// `pnpm bench:clients` runs the kit for drivers on each client, compares the rates with those of the client by hand, and
// writes the table of docs/clients.md. `--only ioredis` runs a part, and prints it. With SESSIONS_TEST_SERVERS=newest it
// runs the kit alone, on the newest servers, and writes the second table.
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { releaseServices } from "../services.ts";
import type { Client } from "./client.ts";
import { dynamodbClients } from "./dynamodb.ts";
import { judge, type Measured, measure, type Passed } from "./measure.ts";
import { mongodbClients } from "./mongodb.ts";
import { mysqlClients } from "./mysql.ts";
import { newestTableOf, tableOf } from "./page.ts";
import { postgresClients } from "./postgres.ts";
import { redisClients } from "./redis.ts";
import { sqliteClients } from "./sqlite.ts";

const PAGE = new URL("../../../docs/clients.md", import.meta.url);
const isNewest = process.env["SESSIONS_TEST_SERVERS"] === "newest";
const MARKS = isNewest
  ? /(<!-- newest -->\n\n)[\s\S]*?(\n<!-- end of newest -->)/
  : /(<!-- measured -->\n\n)[\s\S]*?(\n<!-- end of measured -->)/;
/** The drivers whose newest servers can be fetched. */
const FETCHED = ["redis", "postgres", "mysql", "mongodb"];

const known: readonly Client[] = [
  ...redisClients,
  ...postgresClients,
  ...mysqlClients,
  ...sqliteClients,
  ...mongodbClients,
  ...dynamodbClients,
];

const clients = isNewest
  ? known.filter(({ driver, service, isOld }) => FETCHED.includes(driver) && service && !isOld)
  : known;
const { values } = parseArgs({ options: { only: { type: "string" } } });
const chosen = clients.filter(({ driver, name }) => `${driver}, ${name}`.includes(values.only ?? ""));
const all: Measured[] = [];
const passed: Passed[] = [];
try {
  for (const [i, client] of chosen.entries()) {
    const title = `${i + 1} of ${chosen.length}: ${client.driver}, ${client.name}`;
    console.error(title);
    const progress = (text: string) => console.error(`   ${text}`);
    if (isNewest) passed.push(await judge(client, progress));
    else all.push(await measure(client, progress));
  }
  const table = isNewest ? newestTableOf(passed) : tableOf(all);
  if (chosen.length < clients.length) console.log(table);
  else
    await writeFile(
      PAGE,
      (await readFile(PAGE, "utf8")).replace(MARKS, (_, head, end) => `${head}${table}\n${end}`),
    );
} finally {
  await releaseServices();
}
