/** The kit that tests a session driver: the clauses of SPEC.md as cases, for any test runner. */
export {
  type Report,
  type Result,
  type RunOptions,
  runConformance,
  type TestFunction,
  testDriver,
} from "./run.ts";
export type { Rule, Target } from "./target.ts";
