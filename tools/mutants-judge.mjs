// Runs the kit against one driver after the other, for mutate.mjs: a message names a module of targets, the reply the
// clause that failed first. The seed is fixed, so that a run repeats.
import process from "node:process";

const [, , kit = ""] = process.argv;
/** @type {typeof import("../packages/conformance/src/index.ts")} */
const { runConformance } = await import(kit);

class Found extends Error {}

/** @typedef {`R${number}`[]} Rules */
/** @type {(file: string, only: Rules) => Promise<string>} */
async function firstFailure(file, only) {
  const { targets } = await import(file);
  /** @type {{ target: import("../packages/conformance/src/index.ts").Target, rules?: Rules }[]} */
  const all = targets();
  for (const { target, rules } of all) {
    try {
      await runConformance(target, {
        seed: 1,
        rules: only.length > 0 ? only : rules,
        onResult({ rule, status }) {
          if (status === "failed") throw new Found(rule);
        },
      });
    } catch (error) {
      return error instanceof Found ? error.message : "R0";
    }
  }
  return "";
}

process.on("message", async (/** @type {{ file: string, only: Rules }} */ { file, only }) => {
  process.send?.(await firstFailure(file, only));
});
