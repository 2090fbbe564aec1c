import { testDriver } from "@sessions/conformance";
import { memoryDriver } from "@sessions/core/memory";
import { spoil } from "../spoil.js";

describe("memoryDriver", () => {
  testDriver({ test, target: { name: "memory", shared: false, open: () => spoil(memoryDriver()) } });
});
