import { describe, test } from "vitest";
import { testAdapter } from "../src/index.ts";
import { simpleTarget } from "./simple-target.ts";

describe("the simple adapter", () => {
  testAdapter({ test, target: simpleTarget("simple") });
});
