// Bun runs this file. It prints one line of JSON: what the kit says, and what became of calls that were late or refused.
import { inspect } from "node:util";
import { runConformance } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { begin, newId } from "@sessions/driver-tests/records";
import { type BunSqlLike, postgresDriver } from "../../src/index.ts";

interface BunSql extends BunSqlLike {
  reserve(): Promise<{ release(): void }>;
  begin(work: (transaction: unknown) => Promise<void>): Promise<void>;
}
declare const Bun: { readonly SQL: new (url: string, options?: object) => BunSql };

const url = process.env["SESSIONS_TEST_POSTGRES_URL"] ?? "";
const proxy = await startProxy(url);
const client = new Bun.SQL(proxy.url);
const { results } = await runConformance({
  name: "bun",
  open: (namespace, about) =>
    postgresDriver({ client, table: namespace, timeout: about?.outage ? 1_000 : 10_000 }),
  outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
});

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : error);
const refusal = (one: unknown) => {
  try {
    // Called as from JavaScript.
    postgresDriver({ client: one } as never);
    return "fits";
  } catch (error) {
    return messageOf(error);
  }
};

const reserved = await client.reserve();
const refused = [refusal(reserved), refusal(new Bun.SQL("sqlite://:memory:"))];
reserved.release();
await client.begin(async (transaction) => void refused.push(refusal(transaction)));

process.on("unhandledRejection", (reason) => unhandled.push(String(reason)));
const unhandled: string[] = [];

const table = `t_${newId().slice(0, 12)}`;
const driver = postgresDriver({ client, table, timeout: 300 });
await postgresDriver({ client, table, timeout: 10_000 }).setup();
const id = await begin(driver);
await proxy.cut();
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

// One connection, which is not open yet when the call is late.
proxy.delay(300);
const single = new Bun.SQL(proxy.url, { max: 1, bigint: true });
const waiting = await postgresDriver({ client: single, table, timeout: 200 })
  .commit(id, change, Date.now())
  .catch(codeOf);
await proxy.restore();
const patient = postgresDriver({ client: single, table, timeout: 10_000 });
const after = await patient.load(id);

// A line that goes silent, with more calls than the client has connections.
await proxy.stall();
const silent = await Promise.all(Array.from({ length: 20 }, () => driver.load(id).catch(codeOf)));
await proxy.restore();
let healed: typeof record;
const limit = Date.now() + 10_000;
while (!healed && Date.now() < limit) healed = await driver.load(id).catch(() => undefined);

await client.unsafe(`ALTER TABLE ${table} ADD CONSTRAINT no_x CHECK (NOT fields ? 'a/refused')`, []).values();
const error: unknown = await begin(patient, { fields: new Map([["a/refused", "secret"]]) }).catch(
  (reason: unknown) => reason,
);
const { code, severity, constraint }: Record<string, unknown> = Object(
  error instanceof Error ? error.cause : undefined,
);

// One connection, on which the application begins a transaction by a statement.
await single.unsafe("BEGIN", []);
const inside = await patient
  .commit(id, { fields: new Map([["a/x", "rolled back"]]) }, Date.now())
  .catch(messageOf);
await single.unsafe("ROLLBACK", []);
const outside = await patient.commit(id, { fields: new Map([["a/x", "1"]]) }, Date.now());
const stored = (await driver.load(id))?.fields.get("a/x");

// Messages of a trigger and of the server that hold the row.
const shown: string[] = [];
for (const check of [
  `CREATE FUNCTION ${table}_f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = NEW.fields::text; END $f$`,
  `CREATE TRIGGER t BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_f()`,
  `DROP FUNCTION ${table}_f CASCADE`,
  `ALTER TABLE ${table} ADD CONSTRAINT no_table CHECK (NOT fields ? 'a/y' OR (fields->>'a/y')::regclass > 0) NOT VALID`,
]) {
  await client.unsafe(check, []);
  shown.push(
    await begin(patient, { fields: new Map([["a/y", "secret"]]) }).catch((reason) => inspect(reason)),
  );
}
const problems = await patient.check();
await patient.teardown();
console.log(
  JSON.stringify({
    ...{ results, refused, late, waiting, problems, server: { code, severity, constraint } },
    ...{ unhandled, inside, outside, stored, shown },
    silent: [...new Set(silent)],
    versions: [record?.version, after?.version, healed?.version],
  }),
);
process.exit(0);
