// The build puts these into the package, so a new driver gets the versions that this package was tested with.
import conformance from "@sessions/conformance/package.json" with { type: "json" };
import core from "@sessions/core/package.json" with { type: "json" };
import own from "../package.json" with { type: "json" };

/** The version of this package. */
export const ownVersion: string = own.version;

/** The address of a file of this repository, for texts that are read elsewhere. */
export function addressOf(path: string): string {
  const address = own.repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  return `${address}/blob/main/${path}`;
}

/** The versions of the packages that a new driver uses. */
export const versions: { readonly core: string; readonly conformance: string } = {
  core: core.version,
  conformance: conformance.version,
};
