import { test } from "node:test";
import { testDriver } from "@sessions/conformance";
import { memoryDriver } from "@sessions/core/memory";
import { spoil } from "../spoil.js";

testDriver({ test, target: { name: "memory", shared: false, open: () => spoil(memoryDriver()) } });
