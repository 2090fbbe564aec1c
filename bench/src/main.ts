// `pnpm bench` measures this library beside the libraries that people use today. `--quick` only shows that it runs;
// `--only 3,4` asks those questions.
import process from "node:process";
import { parseArgs } from "node:util";
import type { Question } from "./question.ts";
import { bytes } from "./questions/bytes.ts";
import { coldStart } from "./questions/cold-start.ts";
import { cost } from "./questions/cost.ts";
import { drivers } from "./questions/drivers.ts";
import { growth } from "./questions/growth.ts";
import { lostUpdates } from "./questions/lost-updates.ts";
import { memory } from "./questions/memory.ts";
import { sweeping } from "./questions/sweeping.ts";
import { undoneLogouts } from "./questions/undone-logouts.ts";
import { print, write } from "./report.ts";
import { releaseServices } from "./services.ts";

const questions: readonly Question[] = [
  cost,
  drivers,
  bytes,
  lostUpdates,
  undoneLogouts,
  memory,
  sweeping,
  coldStart,
  growth,
];

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
});
const only = values.only?.split(",").map(Number) ?? questions.map(({ number }) => number);
const unknown = only.filter((number) => !questions.some((question) => question.number === number));
if (unknown.length > 0) {
  const known = questions.map(({ number, title }) => `${number} (${title})`).join(", ");
  console.error(`--only: give numbers of questions: ${known}.`);
  process.exit(1);
}

let missed = 0;
try {
  for (const question of questions.filter(({ number }) => only.includes(number))) {
    const begun = Date.now();
    console.error(`\n${question.number}. ${question.title} ...`);
    const result = await question.run({
      quick: values.quick,
      progress: (what) => console.error(`   ${what}`),
    });
    print(question, result);
    const files = await write(question, result, values.quick);
    missed += result.verdicts.filter(({ ok }) => !ok).length;
    const seconds = Math.round((Date.now() - begun) / 1000);
    console.error(`   ${seconds} s; written: ${files.join(", ")}`);
  }
} finally {
  await releaseServices();
}
if (values.quick) console.log("\nThis was --quick: the figures only show that it runs.");
else console.log(missed === 0 ? "\nEvery target was reached." : `\n${missed} targets were missed.`);
