import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The disk space of packages with all their dependencies. */
export interface Installed {
  readonly packages: number;
  readonly bytes: number;
}

const BENCH = fileURLToPath(new URL("../..", import.meta.url));

/** Counts installed packages as an application would get them, without some packages and their own dependencies. */
export function installed(names: readonly string[], without: readonly string[]): Installed {
  const seen = new Map<string, number>();
  function add(name: string, from: string): void {
    if (without.includes(name)) return;
    const folder = find(name, from);
    if (folder === undefined || seen.has(folder)) return;
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const { files, dependencies } = Object(manifest);
    // For a package of this workspace, count the files of its tarball.
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

/** Returns the folder where Node finds a package from another folder. */
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
