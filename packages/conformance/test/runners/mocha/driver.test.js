import { testDriver } from "@sessions/conformance";
import { memoryDriver } from "@sessions/core/memory";
import { describe, it } from "mocha";
import { spoil } from "../spoil.js";

describe("memoryDriver", () => {
  testDriver({ test: it, target: { name: "memory", shared: false, open: () => spoil(memoryDriver()) } });
});
