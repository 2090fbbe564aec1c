import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const packages = new URL("../packages/", import.meta.url);

/** @typedef {{ name: string, folder: string, exports: string[] }} Publishable `exports`: the names to import. */

/** @returns {Publishable[]} The packages that go to the registry. */
export function publishable() {
  return readdirSync(packages)
    .map((name) => new URL(`${name}/`, packages))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(new URL("package.json", folder), "utf8")),
    }))
    .filter(({ manifest }) => !manifest.private)
    .map(({ folder, manifest }) => ({
      name: manifest.name,
      folder: fileURLToPath(folder),
      exports: Object.keys(manifest.exports)
        .filter((path) => path !== "./package.json")
        .map((path) => manifest.name + path.slice(1)),
    }));
}

/**
 * Packs one package as it is published. Build it first.
 *
 * @param {Publishable} one
 * @param {string} destination A folder.
 * @returns {Promise<string>} The tarball's path.
 */
export async function pack(one, destination) {
  const args = ["pack", "--json", "--pack-destination", destination];
  const shell = process.platform === "win32";
  const { stdout } = await run("pnpm", args, { cwd: one.folder, shell });
  return JSON.parse(stdout).filename;
}
