// Bun runs this file. It prints each driver's verdict on Bun's own clients, as one line of JSON.
import { refusals } from "./drivers.ts";

declare const Bun: {
  readonly redis: unknown;
  readonly sql: unknown;
  readonly SQL: new (url: string) => unknown;
};

// The type checker does not know this module.
const module: string = "bun:sqlite";
const { Database }: { Database: new (path: string) => unknown } = await import(module);

const clients = {
  "bun:sqlite": new Database(":memory:"),
  "Bun.redis": Bun.redis,
  "Bun.sql": Bun.sql,
  "Bun.SQL for MySQL": new Bun.SQL("mysql://user:hunter2@127.0.0.1:1/app"),
};
console.log(
  JSON.stringify(
    Object.fromEntries(Object.entries(clients).map(([name, client]) => [name, refusals(client)])),
  ),
);
