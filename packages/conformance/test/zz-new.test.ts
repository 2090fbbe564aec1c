import { appendFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runConformance } from "../src/index.ts";
import { cassandraFaults } from "./faults/of-cassandra.ts";
import { d1Faults } from "./faults/of-d1.ts";
import { ferretDbFaults } from "./faults/of-ferretdb.ts";
import { ioredisFaults } from "./faults/of-ioredis.ts";
import { postgresJsFaults } from "./faults/of-postgres-js.ts";
import { tidbFaults } from "./faults/of-tidb.ts";
import { upstashFaults } from "./faults/of-upstash.ts";

const out = process.env["F60_OUT"] ?? "/tmp/h/f60-new.txt";
const only = process.env["F60_ONLY"];
const all = {
  ioredisFaults,
  upstashFaults,
  postgresJsFaults,
  d1Faults,
  ferretDbFaults,
  tidbFaults,
  cassandraFaults,
};
for (const [name, faults] of Object.entries(all))
  describe(name, () => {
    for (const f of faults)
      if (!only || new RegExp(only).test(f.fault))
        test(f.fault, { timeout: 60_000 }, async () => {
          const { results } = await runConformance(f.target());
          const failed = results.filter((r) => r.status === "failed");
          const own = failed.filter((r) => r.rule.startsWith(`${f.rule}.`)).map((r) => r.rule);
          const others = failed
            .filter((r) => !r.rule.startsWith(`${f.rule}.`))
            .map((r) => `${r.rule}: ${r.error}`);
          appendFileSync(
            out,
            `${own.length && !others.length ? "ok   " : own.length ? "ALSO " : others.length ? "OTHER" : "PASS "} ${f.rule} ${name} ${f.fault} | ${own.join(" ")} || ${others.join(" ; ").slice(0, 400)}\n`,
          );
          expect(1).toBe(1);
        });
  });
