// `pnpm mutate memory` and `pnpm mutate sqlite` make small faults in a driver, one at a time, run the kit against each, and
// write docs/mutants.md. Where the kit finds nothing, the driver's own tests are run. A second word says less:
// `kit` leaves the driver's tests out, `again` runs what survived the kit in the last run, and `rest` only what is new. After
// a case was added, `again R8.9` runs that clause alone.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, setPriority, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { rolldown } from "rolldown";
import { writePage } from "./mutants-page.mjs";
import { mutantsOf } from "./mutations.mjs";

/** @typedef {import("./mutations.mjs").Mutant} Mutant */
/** @typedef {{ by: "kit" | "crash" | "time" | "survived", rule?: string, tests?: "found" | "passed" }} Verdict */

const sqlite = "packages/driver-sqlite";
const drivers = {
  memory: {
    files: ["driver", "expiries"].map((file) => `packages/core/src/driver/memory/${file}.ts`),
    targets: "packages/conformance/test/mutants.ts",
    tests: { folder: "packages/core", files: ["memory"] },
  },
  sqlite: {
    files: ["statements", "driver", "calls", "executors/local"].map((file) => `${sqlite}/src/${file}.ts`),
    targets: `${sqlite}/test/mutants.ts`,
    tests: {
      folder: sqlite,
      files: ["statements", "content", "check", "objects", "refusals", "from-url", "contention", "executor"],
    },
  },
};
const [name = "", mode = "all", ...rules] = process.argv.slice(2);
if (!(name === "memory" || name === "sqlite") || !["all", "kit", "again", "rest"].includes(mode))
  throw new Error("Say which driver: pnpm mutate memory|sqlite [kit|again [R1.1 …]|rest]");
const { files, targets, tests } = drivers[name];

const memory = "/dev/shm";
const folder = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), "sessions-mutants-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);

/** What the kit and each driver share, and is therefore built once. @type {Record<string, string>} */
const shared = {
  "@sessions/core": "packages/core/src/index.ts",
  "@sessions/core/driver-tools": "packages/core/src/driver-tools.ts",
  kit: "packages/conformance/src/index.ts",
};
const fileOf = (/** @type {string} */ id) => join(folder, `${id.replace(/\W/g, "-")}.mjs`);
const resolving = { conditionNames: ["@sessions/source", "import", "node", "default"] };
const client = resolve("node_modules/better-sqlite3/lib/index.js");

const built = await rolldown({
  input: Object.fromEntries(
    Object.entries(shared).map(([id, file]) => [id.replace(/\W/g, "-"), resolve(file)]),
  ),
  platform: "node",
  resolve: resolving,
});
await built.write({ dir: folder, entryFileNames: "[name].mjs", chunkFileNames: "chunk-[hash].mjs" });
await built.close();

let bundles = 0;
/** Bundles the targets with a driver, in which one file is replaced. @type {(mutant?: Mutant) => Promise<string>} */
async function bundle(mutant) {
  const bundled = await rolldown({
    input: resolve(targets),
    platform: "node",
    treeshake: false,
    resolve: resolving,
    plugins: [
      {
        name: "mutant",
        resolveId(id) {
          if (id in shared) return { id: fileOf(id), external: true };
          return id === "better-sqlite3" ? { id: client, external: true } : null;
        },
        load: (id) => (mutant && id === resolve(mutant.file) ? mutant.text : null),
      },
    ],
  });
  const file = join(folder, `mutant-${bundles++}.mjs`);
  await bundled.write({ file, codeSplitting: false });
  await bundled.close();
  return file;
}

/** A process that judges one mutant after the other, so that it loads the kit once. */
const start = () => {
  const judge = fork(resolve("tools/mutants-judge.mjs"), [fileOf("kit")], {
    cwd: mkdtempSync(join(folder, "run-")),
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  return { judge, runs: 0 };
};
let current = start();
process.on("exit", () => current.judge.kill("SIGKILL"));

/** @type {(limit: number, mutant?: Mutant) => Promise<Verdict>} */
async function judgeByKit(limit, mutant) {
  const file = await bundle(mutant);
  // An error that nobody caught may end the process after its reply.
  if (!current.judge.connected) current = start();
  const { judge } = current;
  const isFresh = current.runs++ === 0;
  judge.send({ file, only: rules });
  const timer = setTimeout(() => judge.kill("SIGKILL"), limit);
  const begun = Date.now();
  const over = new AbortController();
  /** @type {unknown[]} */
  const [said] = await Promise.race(["message", "exit"].map((event) => once(judge, event, over)));
  over.abort();
  clearTimeout(timer);
  rmSync(file);
  const late = Date.now() - begun >= limit;
  if (typeof said === "string" && current.runs < 40)
    return said === "" ? { by: "survived" } : { by: "kit", rule: said };
  judge.kill("SIGKILL");
  current = start();
  if (typeof said === "string") return said === "" ? { by: "survived" } : { by: "kit", rule: said };
  // What ended the process may be left over from the mutant before.
  return isFresh ? { by: late ? "time" : "crash" } : judgeByKit(limit, mutant);
}

/** Runs the driver's own tests. @type {(limit: number, mutant?: Mutant) => Promise<"found" | "passed">} */
async function judgeByTests(limit, mutant) {
  const text = join(folder, "mutant.ts");
  writeFileSync(text, mutant?.text ?? "");
  const child = spawn(
    process.execPath,
    [
      ...[resolve("node_modules/vitest/vitest.mjs"), "run", "--bail=1", "--reporter=dot", "--root", "."],
      ...[
        "--config",
        resolve("tools/mutants.vitest.config.ts"),
        ...tests.files.map((file) => `test/${file}.test.ts`),
      ],
    ],
    {
      cwd: tests.folder,
      stdio: "ignore",
      timeout: limit,
      env: {
        ...process.env,
        SESSIONS_TEST_LEVEL: "usual",
        MUTANT_FILE: mutant && resolve(mutant.file),
        MUTANT_TEXT: text,
      },
    },
  );
  const [code] = await once(child, "exit");
  return code === 0 ? "passed" : "found";
}

const mutants = files.flatMap((file) => mutantsOf(file, readFileSync(file, "utf8")));
const cache = `node_modules/.cache/mutants/${name}.json`;
/** @type {Record<string, Verdict>} */
const before =
  (mode === "again" || mode === "rest") && existsSync(cache) ? JSON.parse(readFileSync(cache, "utf8")) : {};
mkdirSync("node_modules/.cache/mutants", { recursive: true });

/** @type {(work: () => Promise<string>, sound: string) => Promise<number>} */
async function timed(work, sound) {
  const begun = Date.now();
  const said = await work();
  if (said !== sound) throw new Error(`The driver fails without a fault: ${said}`);
  return Date.now() - begun;
}
const kitMs = await timed(async () => Object.values(await judgeByKit(200_000)).join(), "survived");
console.log(`${mutants.length} mutants; without a fault the kit takes ${kitMs} ms`);

/** @type {Record<string, Verdict>} */
const verdicts = {};
const show = (/** @type {number} */ i, /** @type {Mutant} */ { key, line }) =>
  console.log(`${i + 1}/${mutants.length} ${Object.values(verdicts[key] ?? {}).join(" ")}  :${line} ${key}`);
for (const [i, mutant] of mutants.entries()) {
  const known = before[mutant.key];
  if (known && (mode === "rest" || known.by !== "survived")) verdicts[mutant.key] = known;
  else {
    const verdict = await judgeByKit(kitMs * 4 + 10_000, mutant);
    verdicts[mutant.key] = verdict.by === "survived" ? { ...known, ...verdict } : verdict;
    show(i, mutant);
  }
  writeFileSync(cache, JSON.stringify({ ...before, ...verdicts }));
}
current.judge.kill("SIGKILL");

const unjudged = mutants.filter(({ key }) => verdicts[key]?.by === "survived" && !verdicts[key].tests);
if (mode === "all" && unjudged.length > 0) {
  const testsMs = await timed(() => judgeByTests(400_000), "passed");
  for (const mutant of unjudged) {
    verdicts[mutant.key] = { by: "survived", tests: await judgeByTests(testsMs * 4 + 20_000, mutant) };
    show(mutants.indexOf(mutant), mutant);
    writeFileSync(cache, JSON.stringify({ ...before, ...verdicts }));
  }
}

const unexplained = writePage(name, mutants, verdicts);
for (const key of unexplained) console.error(`No reason in tools/mutants.json: ${key}`);
process.exit(unexplained.length > 0 ? 1 : 0);
