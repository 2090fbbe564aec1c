// Read when this package is built, and then part of it: what it writes are the versions it was tested with.
import conformance from "@sessions/conformance/package.json" with { type: "json" };
import core from "@sessions/core/package.json" with { type: "json" };
import own from "../package.json" with { type: "json" };

/** Of this package. */
export const ownVersion: string = own.version;

/** Of the packages that a new driver is written against. */
export const versions: { readonly core: string; readonly conformance: string } = {
  core: core.version,
  conformance: conformance.version,
};
