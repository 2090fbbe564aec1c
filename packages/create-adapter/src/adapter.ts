// The build puts these into the package, so a new adapter gets the versions that this package was tested with.
import conformance from "@sessions/adapter-conformance/package.json" with { type: "json" };
import core from "@sessions/core/package.json" with { type: "json" };
import type { Kind } from "@sessions/create-package";
import manifest from "../package.json" with { type: "json" };

/** The package of an adapter, for `npm create @sessions/adapter`. */
export const adapter: Kind = {
  kind: "adapter",
  subject: "framework",
  examples: ["hapi", "FeathersJS"],
  task: ({ camel, title }) => `${camel}Sessions, which gives ${title} its sessions`,
  unit: "a step of the adapter or of its test server",
  guide: "docs/writing-an-adapter.md",
  template: new URL("../template/", import.meta.url),
  manifest,
  versions: { core: core.version, conformance: conformance.version },
};
