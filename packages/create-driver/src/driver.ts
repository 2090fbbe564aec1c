// The build puts these into the package, so a new driver gets the versions that this package was tested with.
import conformance from "@sessions/conformance/package.json" with { type: "json" };
import core from "@sessions/core/package.json" with { type: "json" };
import type { Kind } from "@sessions/create-package";
import manifest from "../package.json" with { type: "json" };

/** The package of a driver, for `npm create @sessions/driver`. */
export const driver: Kind = {
  kind: "driver",
  subject: "backend",
  examples: ["leveldb", "LibSQL"],
  task: ({ camel, title }) => `${camel}Driver, which keeps sessions in ${title}`,
  unit: "a method in src/index.ts",
  guide: "docs/writing-a-driver.md",
  template: new URL("../template/", import.meta.url),
  manifest,
  versions: { core: core.version, conformance: conformance.version },
};
