// Derives every published package's addresses from `repository` in the root's package.json, the only place that holds
// the address. Without an option it checks them (part of `pnpm check`). With --write it writes them.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { publishable } from "./publishable.mjs";

const root = new URL("../", import.meta.url);
const SOURCE = "@sessions/source";

/** Other files that must hold the whole address, because GitHub follows no relative link in them. */
const others = ["SECURITY.md", "CODE_OF_CONDUCT.md", ".github/ISSUE_TEMPLATE/config.yml"];

/** @typedef {Record<string, unknown>} Manifest */

/** @type {(path: string) => string} */
const read = (path) => readFileSync(new URL(path, root), "utf8");

/**
 * @param {string} text A package.json.
 * @returns {string | undefined} The address in it, in the form for a browser.
 */
export function addressIn(text) {
  const url = JSON.parse(text).repository?.url;
  return typeof url === "string" ? url.replace(/^git\+/, "").replace(/\.git$/, "") : undefined;
}

/**
 * @param {unknown} exports
 * @returns {unknown} The same without the condition for the workspace, because the source is not published.
 */
function withoutSource(exports) {
  if (typeof exports !== "object" || exports === null) return exports;
  return Object.fromEntries(
    Object.entries(exports)
      .filter(([condition]) => condition !== SOURCE)
      .map(([condition, target]) => [condition, withoutSource(target)]),
  );
}

/**
 * @param {Manifest} manifest
 * @param {string} folder `packages/core`
 * @param {string} address
 * @returns {Manifest} The same with every derived field, in the usual order.
 */
export function withFields(manifest, folder, address) {
  const { name, version, description, keywords, license, ...rest } = manifest;
  const published = withoutSource(manifest["exports"]);
  const differs = JSON.stringify(published) !== JSON.stringify(manifest["exports"]);
  return {
    name,
    version,
    description,
    keywords,
    license,
    ...rest,
    homepage: `${address}/tree/main/${folder}#readme`,
    bugs: `${address}/issues`,
    repository: { type: "git", url: `git+${address}.git`, directory: folder },
    // pnpm replaces `exports` by these when it packs.
    publishConfig: { access: "public", provenance: true, ...(differs && { exports: published }) },
  };
}

/**
 * A registry shows the README by itself, so a relative link in it leads nowhere.
 *
 * @param {string} text A README.
 * @param {string} folder `packages/core`
 * @param {string} address
 * @returns {string} The same with whole addresses. Blocks of code stay as they are.
 */
export function withWholeLinks(text, folder, address) {
  const parts = text.split(/^(```.*?^```$)/ms);
  return parts.map((part, i) => (i % 2 === 1 ? part : part.replace(/\]\(([^()\s]+)\)/g, whole))).join("");

  /** @type {(link: string, target: string) => string} */
  function whole(link, target) {
    if (/^([a-z]+:|#)/i.test(target)) return link;
    const [path = "", anchor] = target.split("#");
    const file = posix.join(folder, path).replace(/\/$/, "");
    const kind = statSync(new URL(file, root)).isDirectory() ? "tree" : "blob";
    return `](${address}/${kind}/main/${file}${anchor === undefined ? "" : `#${anchor}`})`;
  }
}

/** @returns {Map<string, string>} The files that must change: by path, the text that each must hold. */
export function changed() {
  const address = addressIn(read("package.json"));
  if (address === undefined) throw new Error("package-fields: package.json has no repository.url. Add it.");
  /** @type {Map<string, string>} */
  const files = new Map();
  /** @type {(path: string, before: string, after: string) => void} */
  const put = (path, before, after) => {
    if (before !== after) files.set(path, after);
  };
  let previous = address;
  for (const { folder } of publishable()) {
    const path = posix.join("packages", posix.basename(folder.replaceAll("\\", "/")));
    const manifest = read(`${path}/package.json`);
    previous = addressIn(manifest) ?? address;
    const wanted = withFields(JSON.parse(manifest), path, address);
    put(`${path}/package.json`, manifest, `${JSON.stringify(wanted, null, 2)}\n`);
    const readme = read(`${path}/README.md`);
    put(
      `${path}/README.md`,
      readme,
      withWholeLinks(readme.replaceAll(`](${previous}/`, `](${address}/`), path, address),
    );
  }
  for (const path of others) put(path, read(path), read(path).replaceAll(`${previous}/`, `${address}/`));
  return files;
}

/** @returns {string[]} The faults that no script can fix, each as a sentence. */
export function faults() {
  return publishable().flatMap(({ name, folder }) => {
    const { keywords, files } = JSON.parse(
      readFileSync(new URL("package.json", pathToFileURL(folder)), "utf8"),
    );
    return [
      ...(keywords?.includes("session") ? [] : [`${name}: keywords must be a list with "session" in it.`]),
      ...(files?.includes("src") ? [`${name}: files must not list src, which nothing published reads.`] : []),
    ];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = changed();
  const problems = faults();
  if (process.argv.includes("--write"))
    for (const [path, text] of files) writeFileSync(new URL(path, root), text);
  else
    problems.push(
      ...[...files.keys()].map((path) => `${path} differs: run node tools/package-fields.mjs --write`),
    );
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
