// `pnpm bench:peers` runs the kit for adapters on other libraries, and writes docs/peers.md.
import process from "node:process";
import { parseArgs } from "node:util";
import { createClient } from "redis";
import { findService, releaseServices } from "../services.ts";
import { runPeer } from "./run.ts";
import { expressSessionPeers } from "./targets/express-session.ts";

const { values } = parseArgs({ options: { only: { type: "string" }, rule: { type: "string" } } });

// A library may reject after its response. The case sees what follows of it.
process.on("unhandledRejection", (error) => console.error("   unhandled:", String(error)));
process.on("uncaughtException", (error) => console.error("   uncaught:", String(error)));

const found = await findService("redis");
if ("missing" in found) throw new Error(found.missing);
const redis = createClient({ url: found.url });
await redis.connect();
try {
  const peers = [...expressSessionPeers(redis)];
  for (const peer of peers.filter(({ name }) => !values.only || name.includes(values.only))) {
    console.error(`\n${peer.name}`);
    const findings = await runPeer(
      peer,
      ({ rule, title, status, reason, error }) => {
        if (status !== "kept") console.error(`   ${status} ${rule} ${title}\n     ${reason ?? error?.message.replaceAll("\n", "\n     ")}`);
      },
      ({ rule }) => !values.rule || rule === values.rule || rule.split(".")[0] === values.rule,
    );
    console.error(["kept", "broken", "apart"].map((s) => `${findings.filter((f) => f.status === s).length} ${s}`).join(", "));
  }
} finally {
  await redis.close();
  await releaseServices();
}
