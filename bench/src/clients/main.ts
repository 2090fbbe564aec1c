// `pnpm bench:clients` runs the kit for drivers on each client, compares the rates with those of the client by hand, and
// writes the table of docs/clients.md. `--only ioredis` runs a part, and prints it.
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { releaseServices } from "../services.ts";
import type { Client } from "./client.ts";
import { type Measured, measure } from "./measure.ts";
import { tableOf } from "./page.ts";
import { redisClients } from "./redis.ts";

const PAGE = new URL("../../../docs/clients.md", import.meta.url);
const MARKS = /(<!-- measured -->\n\n)[\s\S]*?(\n<!-- end of measured -->)/;

const clients: readonly Client[] = [...redisClients];

const { values } = parseArgs({ options: { only: { type: "string" } } });
const chosen = clients.filter(({ driver, name }) => `${driver}, ${name}`.includes(values.only ?? ""));
const all: Measured[] = [];
try {
  for (const [i, client] of chosen.entries()) {
    const title = `${i + 1} of ${chosen.length}: ${client.driver}, ${client.name}`;
    console.error(title);
    all.push(await measure(client, (text) => console.error(`   ${text}`)));
  }
  if (chosen.length < clients.length) console.log(tableOf(all));
  else
    await writeFile(
      PAGE,
      (await readFile(PAGE, "utf8")).replace(MARKS, (_, head, end) => `${head}${tableOf(all)}\n${end}`),
    );
} finally {
  await releaseServices();
}
