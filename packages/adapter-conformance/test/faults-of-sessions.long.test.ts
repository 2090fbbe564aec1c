import { commitFaults } from "./faults/commits.ts";
import { cookieFaults } from "./faults/cookies.ts";
import { testFaults } from "./faulty-cases.ts";

testFaults([...commitFaults, ...cookieFaults]);
