import { testDriver } from "@sessions/conformance";
import { test } from "vitest";
import { target } from "./target.ts";

testDriver({ test, target });
