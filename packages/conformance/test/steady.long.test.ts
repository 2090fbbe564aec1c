import process from "node:process";
import { expect, test } from "vitest";
import { runConformance } from "../src/index.ts";
import { memoryTarget, remoteTarget, simpleTarget } from "./targets.ts";

/** How often; `SESSIONS_TEST_RUNS=100` where it has to be sure. */
const runs = Number(process.env["SESSIONS_TEST_RUNS"] ?? 5);

test.each([memoryTarget(), simpleTarget(), remoteTarget()])(
  `$name passes ${runs} runs, each with a seed of its own`,
  { timeout: runs * 20_000 },
  async (target) => {
    for (let seed = 1; seed <= runs; seed++) {
      const { results } = await runConformance(target, { seed });
      expect([seed, results.filter(({ status }) => status === "failed")]).toEqual([seed, []]);
    }
  },
);
