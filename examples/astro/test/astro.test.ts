import { testExample } from "@sessions/example-tests";
import { test } from "vitest";
import { start } from "./start.ts";

testExample({ test, start });
