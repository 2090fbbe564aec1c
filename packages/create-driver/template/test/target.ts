import type { Target } from "@sessions/conformance";
import { __camel__Driver } from "../src/index.ts";

/** The client that the tests use: open it here, on a backend that is for tests and set up as in production. */
const client = {};

/** What the kit tests, by `npm test` and by `npm run conformance`. */
export const target: Target = {
  name: "__backend__",
  // The same namespace, the same records; another namespace shares nothing.
  open: (namespace) => __camel__Driver({ client, prefix: `${namespace}:` }),
  // Where a second open() of a namespace does not see the first's records, for they live inside the driver:
  // shared: false,
  // How the driver is cut off from its backend, and let back: without it R11 is not tested.
  // outage: { cut: async () => {}, restore: async () => {} },
  // What this backend cannot keep, each with its reason; the README says the same.
  // exclude: [{ rule: "R13.4", reason: "the index is ordered by last use" }],
};
