// `pnpm run conformance` starts the server of the tests, and gives this target to the kit's command.
import type { Target } from "@sessions/conformance";
import { acquire } from "@sessions/test-services/services";
import { openTarget } from "./target.ts";

const found = await acquire("memcached");
if ("missing" in found) throw new Error(found.missing);
export const target: Target = (await openTarget(found.url)).target;
