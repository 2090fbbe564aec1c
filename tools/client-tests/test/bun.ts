// Bun runs this. It prints the result of each driver for Bun's own clients, as one line of JSON.
import { refusals } from "./drivers.ts";

declare const Bun: { readonly redis: unknown; readonly sql: unknown };

// A variable, because TypeScript does not know this module.
const module: string = "bun:sqlite";
const { Database }: { Database: new (path: string) => unknown } = await import(module);

const clients = { "bun:sqlite": new Database(":memory:"), "Bun.redis": Bun.redis, "Bun.sql": Bun.sql };
console.log(
  JSON.stringify(
    Object.fromEntries(Object.entries(clients).map(([name, client]) => [name, refusals(client)])),
  ),
);
