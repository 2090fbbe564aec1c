// Bun runs this file. It prints one line of JSON: what the kit says, what became of a commit that timed out, and
// what the driver refuses.
import { runConformance } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { begin, newId } from "@sessions/driver-tests/records";
import { type BunSqlLike, type BunSqlReservedLike, mysqlDriver } from "../../src/index.ts";

interface BunSql extends BunSqlLike {
  begin<T>(work: (transaction: BunSqlLike) => Promise<T>): Promise<T>;
  reserve(): Promise<BunSqlReservedLike & BunSqlLike>;
}
declare const Bun: { readonly SQL: new (url: string, options: object) => BunSql };

const proxy = await startProxy(process.env["SESSIONS_TEST_MYSQL_URL"] ?? "");
const client = new Bun.SQL(proxy.url, { bigint: true });
const { results } = await runConformance({
  name: "bun",
  open: (namespace, about) =>
    mysqlDriver({ client, table: namespace, timeout: about?.outage ? 1_000 : 4_000 }),
  outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
});

const table = `t_${newId()}`;
await mysqlDriver({ client, table }).setup();
const driver = mysqlDriver({ client, table, timeout: 300 });
const id = await begin(driver);
await proxy.stall();
const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : error);
const change = { fields: new Map([["a/x", "late"]]) };
const late = [
  await driver.load(id).catch(codeOf),
  await driver.commit(id, change, Date.now()).catch(codeOf),
  await driver.commit(id, change, Date.now()).catch(codeOf),
];
await proxy.restore();
let record: Awaited<ReturnType<typeof driver.load>>;
const end = Date.now() + 10_000;
while (!record && Date.now() < end) record = await driver.load(id).catch(() => undefined);

const sayOf = (error: unknown) => `${codeOf(error)} ${error instanceof Error ? error.message : ""}`;
async function refusal(make: () => unknown): Promise<string> {
  try {
    return String(await make());
  } catch (error) {
    return sayOf(error);
  }
}
const one = new Bun.SQL(process.env["SESSIONS_TEST_MYSQL_URL"] ?? "", { max: 1 });
const reserved = await one.reserve();
await reserved.unsafe("SET autocommit = 0");
const refused = {
  "a reserved connection": await refusal(() => mysqlDriver({ client: reserved, table })),
  "autocommit off": await refusal(() => {
    reserved.release();
    return mysqlDriver({ client: one, table }).commit(id, change, Date.now());
  }),
  "a transaction": await client.begin((client) => refusal(() => mysqlDriver({ client, table }))),
  PostgreSQL: await refusal(() =>
    mysqlDriver({ client: new Bun.SQL("postgres://127.0.0.1:1/none", {}), table }),
  ),
};

console.log(JSON.stringify({ results, late, version: record?.version, refused }));
process.exit(0);
