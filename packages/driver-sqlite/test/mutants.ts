// The targets on which `pnpm mutate sqlite` runs the kit against a driver with one fault.
import { randomUUID } from "node:crypto";
import type { Rule, Target } from "@sessions/conformance";
import Database from "better-sqlite3";
import { fromUrl, sqliteDriver } from "../src/index.ts";

/** What may depend on how many handles there are, and on their modes. */
const BETWEEN_HANDLES: Rule[] = ["R1.8", "R3.5", "R3.8", "R5.4", "R7.6", "R10", "R11", "R12.3", "R12.9"];

/** The quickest first: what it finds need not be looked for in the others. The files go into the current folder. */
export function targets(): { target: Target; rules?: Rule[] }[] {
  const run = randomUUID();
  const one = new Database(`${run}-one.db`);
  const handles: Database.Database[] = [];
  return [
    {
      target: {
        name: "one handle",
        open: (namespace) => sqliteDriver({ client: one, table: namespace, timeout: 500 }),
        outage: {
          cut: async () => void one.exec("BEGIN"),
          restore: async () => void one.exec("ROLLBACK"),
        },
      },
    },
    {
      target: {
        name: "a handle each",
        open(namespace) {
          const client = new Database(`${run}-each.db`);
          handles.push(client);
          return sqliteDriver({ client, table: namespace, timeout: 500 });
        },
        outage: {
          cut: async () => handles.forEach((handle) => void handle.exec("BEGIN")),
          restore: async () => handles.forEach((handle) => void handle.exec("ROLLBACK")),
        },
      },
      rules: BETWEEN_HANDLES,
    },
    {
      target: { name: "fromUrl", open: (namespace) => fromUrl(`sqlite:${run}-url.db`, { table: namespace }) },
      rules: ["R3.5", "R5.4", "R10.1", "R12"],
    },
  ];
}
