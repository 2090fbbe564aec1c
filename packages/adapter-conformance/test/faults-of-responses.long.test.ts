import { bodyFaults } from "./faults/bodies.ts";
import { cacheFaults } from "./faults/caches.ts";
import { errorFaults } from "./faults/errors.ts";
import { testFaults } from "./faulty-cases.ts";

testFaults([...cacheFaults, ...errorFaults, ...bodyFaults]);
