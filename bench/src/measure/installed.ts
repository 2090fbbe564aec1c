import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What packages take on a disk, with all that they depend on. */
export interface Installed {
  readonly packages: number;
  readonly bytes: number;
}

const BENCH = fileURLToPath(new URL("../..", import.meta.url));

/** Counts packages that are installed here, as an application would get them, without some, and what only those need. */
export function installed(names: readonly string[], without: readonly string[]): Installed {
  const seen = new Map<string, number>();
  function add(name: string, from: string): void {
    if (without.includes(name)) return;
    const folder = find(name, from);
    if (folder === undefined || seen.has(folder)) return;
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const { files, dependencies } = Object(manifest);
    // One of this workspace: what its tarball has.
    const inWorkspace = !folder.includes("node_modules") && Array.isArray(files);
    const parts = inWorkspace ? [...files, "package.json", "README.md", "LICENSE"] : ["."];
    seen.set(
      folder,
      parts.reduce((sum, part) => sum + size(join(folder, part)), 0),
    );
    for (const dependency of Object.keys(dependencies ?? {})) add(dependency, folder);
  }
  for (const name of names) add(name, BENCH);
  return { packages: seen.size, bytes: [...seen.values()].reduce((sum, bytes) => sum + bytes, 0) };
}

/** Where Node finds a package from a folder. */
function find(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, "node_modules", name);
    if (existsSync(join(place, "package.json"))) return realpathSync(place);
    if (folder === dirname(folder)) return undefined;
  }
}

function size(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return 0;
  if (!found.isDirectory()) return found.size;
  return readdirSync(path)
    .filter((name) => name !== "node_modules")
    .reduce((sum, name) => sum + size(join(path, name)), 0);
}
