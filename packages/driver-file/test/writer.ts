/**
 * A process that writes until it is killed, or a given number of times. After each step that the driver acknowledged
 * it prints one character: `o` for its own session, `s` for the one that all of them share.
 */
import { writeSync } from "node:fs";
import { fileDriver } from "../src/index.ts";
import { ownStep, pair } from "./steps.ts";

const [directory = "", name = "", own = "", shared = "", times = "Infinity", counter] = process.argv.slice(2);
const driver = fileDriver({ directory, timeout: "30s" });
const now = Date.now();

async function raiseCounter(): Promise<void> {
  for (;;) {
    const record = await driver.load(shared);
    const count = Number(record?.fields.get("all/count") ?? 0) + 1;
    const change = { fields: new Map([["all/count", `${count}`]]), ifVersion: record?.version };
    if ((await driver.commit(shared, change, now)) === "committed") return;
  }
}

for (let step = 1; step <= Number(times); step++) {
  await ownStep(driver, own, step, now);
  writeSync(1, "o");
  if (counter !== undefined) await raiseCounter();
  const outcome = await driver.commit(shared, { fields: pair(name, step) }, now);
  if (outcome !== "committed") throw new Error(outcome);
  writeSync(1, "s");
}
