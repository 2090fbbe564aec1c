// `pnpm bench:peers` runs the kit for adapters on other libraries, and writes docs/peers.md. `--only koa` and
// `--rule H4.2` run a part, and print what was seen.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { findService, releaseServices } from "../services.ts";
import { pageOf, type Tested } from "./page.ts";
import type { Peer } from "./peer.ts";
import { type Finding, runPeer } from "./run.ts";
import { sentenceOf } from "./sentences.ts";
import { expressSessionPeers } from "./targets/express-session.ts";
import { fastifySessionPeer } from "./targets/fastify-session.ts";
import { honoSessionPeers } from "./targets/hono-session.ts";
import { honoSessionsPeers } from "./targets/hono-sessions.ts";
import { ironSessionPeer } from "./targets/iron-session.ts";
import { koaSessionPeers } from "./targets/koa-session.ts";
import { openRedis } from "./targets/redis.ts";

const PAGE = new URL("../../../docs/peers.md", import.meta.url);

const { values } = parseArgs({ options: { only: { type: "string" }, rule: { type: "string" } } });
const isPart = values.only !== undefined || values.rule !== undefined;

const isChosen = ({ rule }: { rule: string }): boolean =>
  values.rule === undefined || rule === values.rule || rule.startsWith(`${values.rule}.`);

function show(finding: Finding): void {
  if (finding.status === "broken") console.error(`   ${finding.rule} ${sentenceOf(finding)}`);
  if (isPart)
    console.error(`   ${finding.rule} ${finding.status} ${finding.reason ?? finding.error?.message ?? ""}`);
}

const found = await findService("redis");
if ("missing" in found) throw new Error(found.missing);
const redis = await openRedis(found.url);
try {
  const peers: readonly Peer[] = [
    ...expressSessionPeers(redis),
    fastifySessionPeer(redis),
    ...koaSessionPeers,
    ironSessionPeer,
    ...honoSessionsPeers,
    ...honoSessionPeers,
  ];
  const all: Tested[] = [];
  for (const peer of peers.filter(({ name }) => name.includes(values.only ?? ""))) {
    console.error(`\n${peer.name}`);
    all.push({ peer, findings: await runPeer(peer, show, isChosen) });
  }
  if (isPart) console.error("\nThis was a part: nothing is written.");
  else await writeFile(PAGE, pageOf(all, [found.version]));
} finally {
  await redis.close();
  await releaseServices();
}
