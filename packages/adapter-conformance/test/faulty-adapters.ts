import { bodyFaults } from "./faults/bodies.ts";
import { cacheFaults } from "./faults/caches.ts";
import { commitFaults } from "./faults/commits.ts";
import { cookieFaults } from "./faults/cookies.ts";
import { errorFaults } from "./faults/errors.ts";
import type { Fault } from "./faults/fault.ts";

/** Every adapter with a deliberate fault. */
export const faultyAdapters: readonly Fault[] = [
  ...commitFaults,
  ...cookieFaults,
  ...cacheFaults,
  ...errorFaults,
  ...bodyFaults,
];
