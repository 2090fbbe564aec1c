import { testAdapter } from "@sessions/adapter-conformance";
import { test } from "vitest";
import { target } from "./target.ts";

testAdapter({ test, target });
