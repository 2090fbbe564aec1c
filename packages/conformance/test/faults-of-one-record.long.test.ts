import { testFaults } from "./faulty-cases.ts";

testFaults([1, 2, 3, 4, 5, 6, 7]);
