import type { Target } from "@sessions/conformance";
import { __camel__Driver } from "../src/index.ts";

/** The client for the tests. Open it here, on a test backend that is set up as in production. */
const client = {};

/** The driver that the kit tests, in `npm test` and in `npm run conformance`. */
export const target: Target = {
  name: "__backend__",
  // Drivers of one namespace share their records. Different namespaces share nothing.
  open: (namespace) => __camel__Driver({ client, prefix: `${namespace}:` }),
  // If records live inside the driver, so that a second open() of a namespace does not see those of the first:
  // shared: false,
  // How to cut the driver off from its backend, how to reconnect it, and how to lose one answer. Without this, R11 is not
  // tested. `await startProxy(url)` of @sessions/conformance/proxy does all three for a server. A timeout of
  // a second or less is for these cases alone: open: (namespace, about) => …({ timeout: about?.outage ? 500 : 2_000 })
  // outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
  // The rules that this backend cannot keep, each with its reason. Repeat them in the README:
  // exclude: [{ rule: "R13.4", reason: "the index is ordered by last use" }],
};
