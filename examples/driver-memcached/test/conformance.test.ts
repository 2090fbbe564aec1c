import { testDriver } from "@sessions/conformance";
import { service } from "@sessions/test-services";
import { afterAll, describe, test } from "vitest";
import { openTarget } from "./target.ts";

const server = service("memcached");
const opened = server && (await openTarget(server.url));
afterAll(() => opened?.end());

describe.skipIf(!opened)("memcached: several clients of one server", () => {
  if (opened) testDriver({ test, target: opened.target });
});
