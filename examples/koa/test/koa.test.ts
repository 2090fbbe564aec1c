import { startSource, testEnding, testExample } from "@sessions/example-tests";
import { test } from "vitest";

const start = () => startSource(new URL("../", import.meta.url));

testExample({ test, start });
testEnding({ test, start });
