import { testDriver } from "@sessions/conformance";
import { service } from "@sessions/test-services";
import { afterAll, describe, test } from "vitest";
import { openTarget } from "./target.ts";

const server = service("etcd");
const opened = server && (await openTarget(server.url));
afterAll(() => opened?.end());

describe.skipIf(!opened)("etcd: several drivers, each with a client of its own", () => {
  if (opened) testDriver({ test, target: opened.target });
});
