import { backendFaults } from "./faults/backend.ts";
import { commitFaults } from "./faults/commit.ts";
import { createAndLoadFaults } from "./faults/create-load.ts";
import type { Fault } from "./faults/fault.ts";
import { listAndIsolationFaults } from "./faults/list-isolation.ts";
import { sweepAndContentFaults } from "./faults/sweep-content.ts";
import { versionAndDestroyFaults } from "./faults/version-destroy.ts";

/** Drivers with one deliberate fault each, and the rule that it breaks: the kit must fail that rule and no other. */
export const faultyDrivers: readonly Fault[] = [
  ...createAndLoadFaults,
  ...commitFaults,
  ...versionAndDestroyFaults,
  ...sweepAndContentFaults,
  ...backendFaults,
  ...listAndIsolationFaults,
];
