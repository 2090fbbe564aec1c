// Limits that keep the code small enough to read. To raise one, change it here, and say why in the commit message.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

const limits = {
  // What a program that imports core loads at its start, minified and gzipped, without dependencies. What no request needs
  // is loaded at its first call, and counts in the second figure alone: the manager's methods that take an id, listing,
  // logging out everywhere and sweeping (administration.ts), the limit of a user's sessions (limit.ts), and the search
  // for drivers (driver/packages.ts). Of the first, 1,500 are texts of errors and warnings, and 1,250 the memory driver.
  // Of the second, 590 search drivers by name, and 600 keep to the limit of a user's sessions.
  coreBytes: 17_700,
  coreBytesInAll: 21_460,
  contractCodeLines: 60, // neither blank nor comment
  fileLines: 300,
  entryLines: 40,
};

/** @type {string[]} */
const problems = [];
/** @type {(what: string, size: number, limit: number, unit: string) => void} */
function within(what, size, limit, unit) {
  if (size > limit) problems.push(`${what} has ${size} ${unit}; the limit is ${limit}.`);
}

const core = await coreBytes({ inAll: false });
within("@sessions/core as it starts, minified and gzipped,", core, limits.coreBytes, "bytes");
const coreInAll = await coreBytes({ inAll: true });
within("All of @sessions/core, minified and gzipped,", coreInAll, limits.coreBytesInAll, "bytes");

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
    `Core is ${core} bytes of ${limits.coreBytes} (${coreInAll} of ${limits.coreBytesInAll} in all), the contract ${contract} lines of ${limits.contractCodeLines}.`,
  );

/** @param {{ inAll: boolean }} which Whether what `import()` loads later counts too. */
async function coreBytes({ inAll }) {
  const bundle = await rolldown({
    input: "packages/core/dist/index.js",
    platform: "node",
    external: (/** @type {string} */ id) => /^[^./]/.test(id) && !/^[A-Z]:/i.test(id),
    plugins: [
      {
        name: "later",
        resolveDynamicImport: (id) => (inAll || typeof id !== "string" ? null : { id, external: true }),
      },
    ],
  });
  const { output } = await bundle.generate({ minify: true, comments: false, codeSplitting: false });
  await bundle.close();
  return gzipSync(output[0].code).length;
}

/** @param {string} source */
function codeLines(source) {
  const withoutComments = source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return withoutComments.split("\n").filter((line) => line.trim() !== "").length;
}
