import type { Names } from "./names.ts";

/** What a command makes: packages for drivers, or packages for adapters. */
export interface Kind {
  /** The command's name after `npm create @sessions/`, and the beginning of the packages' names: `driver`. */
  readonly kind: string;
  /** What the new package is for; also the placeholder of its name in the template: `backend`. */
  readonly subject: string;
  /** Names of such subjects, the second one with capitals: `["leveldb", "LibSQL"]`. */
  readonly examples: readonly [string, string];
  /** What the user has to write, as a sentence: `levelDriver, which keeps sessions in LevelDB`. */
  readonly task: (names: Names) => string;
  /** What the name of a failing test's error leads to: `a method`. */
  readonly unit: string;
  /** The guide's path in this repository. */
  readonly guide: string;
  /** The folder with the template. */
  readonly template: URL;
  /** The manifest of the command's own package. */
  readonly manifest: { readonly version: string; readonly repository: { readonly url: string } };
  /** The versions of the packages that a new package uses. */
  readonly versions: { readonly core: string; readonly conformance: string };
}

/** The address of a file of this repository, for texts that are read elsewhere. */
export function addressOf({ manifest }: Kind, path: string): string {
  const address = manifest.repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  return `${address}/blob/main/${path}`;
}
