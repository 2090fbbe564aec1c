import { testDriver } from "@sessions/conformance";
import { afterAll, describe, test } from "vitest";
import { end, target } from "./target.ts";

afterAll(end);

describe("level: several drivers on one database", () => {
  testDriver({ test, target });
});
