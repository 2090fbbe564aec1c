// Bun runs this file. It prints one line of JSON: what the kit says, and what became of commits that timed out.
import { runConformance } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { begin, newId } from "@sessions/driver-tests/records";
import { type BunRedisLike, redisDriver } from "../../src/index.ts";

declare const Bun: {
  readonly RedisClient: new (url: string, options: object) => BunRedisLike;
};

const proxy = await startProxy(process.env["SESSIONS_TEST_REDIS_URL"] ?? "");
const client = new Bun.RedisClient(proxy.url, { maxRetries: 1_000_000 });
const { results } = await runConformance({
  name: "bun",
  open: (namespace, about) =>
    redisDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 1_000 : 4_000 }),
  outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
});

const driver = redisDriver({ client, prefix: `late_${newId()}:`, timeout: 300 });
const id = await begin(driver);
await proxy.cut();
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

// A server that has lost the scripts, and says so only after the end of the call.
const line = await startProxy(process.env["SESSIONS_TEST_OWN_REDIS_URL"] ?? "");
const own = new Bun.RedisClient(line.url, {});
const patient = redisDriver({ client: own, timeout: 20_000 });
const scripted = await begin(patient);
await own.send("SCRIPT", ["FLUSH"]);
line.delay(300);
late.push(
  await redisDriver({ client: own, timeout: 400 }).commit(scripted, change, Date.now()).catch(codeOf),
);
line.delay(0);
// The first reply follows the late one, and the second whatever was sent because of that.
await patient.load(scripted);
const versions = [record?.version, (await patient.load(scripted))?.version];

console.log(JSON.stringify({ results, late, versions }));
process.exit(0);
