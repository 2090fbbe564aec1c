/** The tests that are the same for every driver of a remote backend. */
export { testBrokenLine } from "./broken-line.ts";
export { testBytes } from "./bytes.ts";
export { type ObjectCase, testObjects } from "./foreign-objects.ts";
export { type SweepFigures, sweepBesideCommits } from "./sweeping.ts";
export { withService } from "./with-service.ts";
