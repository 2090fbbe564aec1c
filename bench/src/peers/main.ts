// `pnpm bench:peers` runs the kit for adapters on other libraries, and writes docs/peers.md.
import { AssertionError } from "node:assert";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { findService, releaseServices } from "../services.ts";
import { runPeer } from "./run.ts";
import { expressSessionPeers } from "./targets/express-session.ts";
import { fastifySessionPeer } from "./targets/fastify-session.ts";
import { honoSessionPeers } from "./targets/hono-session.ts";
import { honoSessionsPeers } from "./targets/hono-sessions.ts";
import { ironSessionPeer } from "./targets/iron-session.ts";
import { koaSessionPeers } from "./targets/koa-session.ts";
import { openRedis } from "./targets/redis.ts";

const { values } = parseArgs({ options: { only: { type: "string" }, rule: { type: "string" } } });

// A library may reject after its response. The case sees what follows of it.
process.on("unhandledRejection", (error) => console.error("   unhandled:", String(error)));
process.on("uncaughtException", (error) => console.error("   uncaught:", String(error)));

const found = await findService("redis");
if ("missing" in found) throw new Error(found.missing);
const redis = await openRedis(found.url);
const all: unknown[] = [];
try {
  const peers = [...expressSessionPeers(redis), fastifySessionPeer(redis), ...koaSessionPeers, ironSessionPeer, ...honoSessionsPeers, ...honoSessionPeers];
  for (const peer of peers.filter(({ name }) => !values.only || name.includes(values.only))) {
    console.error(`\n${peer.name}`);
    const findings = await runPeer(
      peer,
      ({ rule, title, status, reason, error }) => {
        if (status !== "kept") console.error(`   ${status} ${rule} ${title}\n     ${reason ?? error?.message.replaceAll("\n", "\n     ")}`);
      },
      ({ rule }) => !values.rule || rule === values.rule || rule.split(".")[0] === values.rule,
    );
    all.push({ name: peer.name, findings: findings.map(({ error, ...f }) => ({ ...f, seen: error instanceof AssertionError && error.generatedMessage ? JSON.stringify(error.actual) ?? "undefined" : error?.message })) });
    writeFileSync("/tmp/h/peers.json", JSON.stringify(all, undefined, 1));
    console.error(["kept", "broken", "apart"].map((s) => `${findings.filter((f) => f.status === s).length} ${s}`).join(", "));
  }
} finally {
  await redis.close();
  await releaseServices();
}
