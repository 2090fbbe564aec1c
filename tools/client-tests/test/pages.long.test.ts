import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { SessionManager } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import { afterAll, expect, test } from "vitest";

const docs = fileURLToPath(new URL("../../../docs/clients/", import.meta.url));
// Beside this file, so that the pages' imports are found.
const folder = mkdtempSync(fileURLToPath(new URL("./.pages-", import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true }));

/** The part of an ORM that ends it. */
const ENDS = ["destroy", "$disconnect", "close"] as const;

async function run(page: string, url: string): Promise<void> {
  const [, block = ""] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(docs, page), "utf8")) ?? [];
  const client = page.includes("mysql") ? "mysql" : "postgresql";
  const file = join(folder, `${page}.ts`);
  writeFileSync(
    file,
    block.replace(
      "./generated/prisma/client.js",
      fileURLToPath(new URL(`./prisma-${client}.ts`, import.meta.url)),
    ),
  );
  // The package mariadb reads no other scheme.
  process.env["DATABASE_URL"] = block.includes("mariadb") ? url.replace(/^mysql:/, "mariadb:") : url;
  process.env["DATABASE_FILE"] = join(folder, "sessions.db");
  const { sessions, ...more }: { sessions: SessionManager } = await import(file);
  expect(await sessions.check()).toEqual([]);
  await sessions.teardown();
  for (const orm of Object.values(more).map(Object))
    for (const name of ENDS) if (typeof orm[name] === "function") await orm[name]();
}

const pages = readdirSync(docs).filter((page) => page.endsWith(".md"));
const on = (database: string) => pages.filter((page) => page.endsWith(`${database}.md`));

await withService("postgres", (postgres) => {
  test.each(on("postgresql"))("%s", (page) => run(page, postgres.url));
});
await withService("mysql", (mysql) => {
  test.each(on("mysql"))("%s", (page) => run(page, mysql.url));
});
test.each(on("sqlite"))("%s", (page) => run(page, ""));
