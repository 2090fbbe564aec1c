import { testExample } from "@sessions/example-tests";
import { test } from "vitest";
import { start } from "./start.ts";

testExample({
  test,
  start,
  exclude: {
    "a body that is no form, or a broken one, is no error of the program":
      "Next reads it before any code of ours, and answers 500 to a broken one",
  },
});
