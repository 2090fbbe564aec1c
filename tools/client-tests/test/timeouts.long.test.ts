import process from "node:process";
import type { Driver, ProvisionedDriver } from "@sessions/core";
import * as dynamodb from "@sessions/driver-dynamodb";
import * as mongodb from "@sessions/driver-mongodb";
import * as mysql from "@sessions/driver-mysql";
import * as postgres from "@sessions/driver-postgres";
import * as redis from "@sessions/driver-redis";
import * as sqlite from "@sessions/driver-sqlite";
import { begin, newId } from "@sessions/driver-tests/records";
import { type ServiceName, service } from "@sessions/test-services";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { prismaPostgres } from "./prisma.ts";

const warnings: string[] = [];
const note = ({ name }: Error): void => void warnings.push(name);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", note);
});
afterEach(() => void process.off("warning", note));

type Open = (url: string, name: string) => Promise<Driver & ProvisionedDriver & { close?(): unknown }>;

/** Longer than a timer can be. Node makes such a timer fire at once, and warns. */
const timeout = "36500d";
const opens: [string, ServiceName | undefined, Open][] = [
  [
    "dynamodb",
    "dynamodb",
    (url, table) => dynamodb.fromUrl(`${url}?region=eu-central-1`, { table, timeout }),
  ],
  ["mongodb", "mongodb", (url, collection) => mongodb.fromUrl(url, { collection, timeout })],
  ["mysql", "mysql", (url, table) => mysql.fromUrl(url, { table, timeout })],
  ["postgres", "postgres", (url, table) => postgres.fromUrl(url, { table, timeout })],
  [
    "postgres through Prisma",
    "postgres",
    async (connectionString, table) => {
      const client = prismaPostgres({ connectionString });
      onTestFinished(() => client.$disconnect());
      return postgres.postgresDriver({ client, table, timeout });
    },
  ],
  ["redis", "redis", (url, prefix) => redis.fromUrl(url, { prefix: `${prefix}:`, timeout })],
  ["sqlite", undefined, async (_, table) => sqlite.fromUrl("sqlite::memory:", { table, timeout })],
];

for (const [name, needs, open] of opens) {
  const found = needs && service(needs);
  test.skipIf(needs && !found)(`${name}: a timeout of a century cuts no call short`, async () => {
    const driver = await open(found?.url ?? "", `t_${newId().slice(0, 12)}`);
    await driver.setup();
    onTestFinished(async () => {
      await driver.teardown();
      await driver.close?.();
    });
    const id = await begin(driver);
    // A client may need a moment, in which a timer that fires at once would have fired.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await driver.commit(id, { fields: new Map([["a/x", "1"]]) }, Date.now())).toBe("committed");
    expect((await driver.load(id))?.fields.get("a/x")).toBe("1");
    expect(warnings).not.toContain("TimeoutOverflowWarning");
  });
}
