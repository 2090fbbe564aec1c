import { testDriver } from "@sessions/conformance";
import { afterAll, describe, test } from "vitest";
import { end, target } from "./target.ts";

afterAll(end);

describe("libsql: several clients of one file", () => {
  testDriver({ test, target });
});
