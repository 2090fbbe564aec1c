import { startSource, testExample } from "@sessions/example-tests";
import { test } from "vitest";

testExample({ test, start: () => startSource(new URL("../", import.meta.url)) });
