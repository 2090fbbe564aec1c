// The tests that are the same for every driver of a remote backend.
export { testBrokenLine } from "./broken-line.ts";
export { testBytes } from "./bytes.ts";
export { commitThroughFailover } from "./failover.ts";
export { testFirstUse } from "./first-use.ts";
export { type ObjectCase, testObjects } from "./foreign-objects.ts";
export { testLostTable } from "./lost-objects.ts";
export { expectLasting, runPage } from "./pages.ts";
export { type Refusal, testRefusals } from "./refusals.ts";
export { type SweepFigures, sweepBesideCommits } from "./sweeping.ts";
export { withService } from "./with-service.ts";
