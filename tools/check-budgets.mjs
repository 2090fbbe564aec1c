// Limits that keep the code small enough to read. To raise one, change it here, and say why in the commit message.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

const limits = {
  // The bytes that an application ships, minified and gzipped, without dependencies. The first target was 8,000. The
  // memory driver, driverFromUrl and the administration take a quarter; the rest keeps the promises.
  // November 2026: 3,100 more, for codecs that are told apart, values that never change silently, limits that hold for
  // overlapping requests, endings in any order, https, setup at first use, and one check of every option's name.
  coreBytes: 17_200,
  contractCodeLines: 60, // without blank lines and comments
  fileLines: 300,
  entryLines: 40,
};

/** @type {string[]} */
const problems = [];
/** @type {(what: string, size: number, limit: number, unit: string) => void} */
function within(what, size, limit, unit) {
  if (size > limit) problems.push(`${what} has ${size} ${unit}; the limit is ${limit}.`);
}

const core = await coreBytes();
within("@sessions/core, minified and gzipped,", core, limits.coreBytes, "bytes");

const contract = codeLines(readFileSync("packages/core/src/driver/contract.ts", "utf8"));
within(
  "The driver contract, packages/core/src/driver/contract.ts,",
  contract,
  limits.contractCodeLines,
  "lines of code",
);

const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
});
for (const file of listed.split("\n").filter((name) => existsSync(name) && name !== "")) {
  const text = readFileSync(file, "utf8");
  const lines = text.trimEnd().split("\n").length;
  if (/^tools\/[^/]+\.(ts|mjs)$|\/src\//.test(file)) within(file, lines, limits.fileLines, "lines");
  if (/^packages\/[^/]+\/src\/index\.ts$/.test(file)) within(file, lines, limits.entryLines, "lines");
  const machine = /\/(home|Users|root|work)\/[\w.-]+|\bregistry\.[\w-]+\.\w+/.exec(text);
  if (machine) problems.push(`${file} names a path or host of one machine: ${machine[0]}. Remove it.`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else
  console.log(
    `Core is ${core} bytes of ${limits.coreBytes}, the contract ${contract} lines of ${limits.contractCodeLines}.`,
  );

async function coreBytes() {
  const bundle = await rolldown({
    input: "packages/core/dist/index.js",
    platform: "node",
    external: (/** @type {string} */ id) => /^[^./]/.test(id) && !/^[A-Z]:/i.test(id),
  });
  const { output } = await bundle.generate({ minify: true, comments: false });
  await bundle.close();
  return gzipSync(output[0].code).length;
}

/** @param {string} source */
function codeLines(source) {
  const withoutComments = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return withoutComments.split("\n").filter((line) => line.trim() !== "").length;
}
