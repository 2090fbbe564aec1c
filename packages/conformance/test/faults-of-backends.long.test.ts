import { testFaults } from "./faulty-cases.ts";

testFaults([8, 9, 10, 11, 12, 13, 14]);
