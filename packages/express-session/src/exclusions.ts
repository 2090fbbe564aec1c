const RACE =
  "a store has no atomic change: between two processes, a read and a write of the whole session lose what comes between them";

/**
 * The clauses of the contract that a driver of `fromExpressSessionStore` cannot keep where several processes share the
 * store's backend, each with the reason: `exclude` of the kit's target. Within one process, with one store, it keeps them.
 */
export const expressSessionExclusions: readonly { rule: `R${number}.${number}`; reason: string }[] = [
  { rule: "R1.8", reason: RACE },
  { rule: "R1.11", reason: RACE },
  { rule: "R2.9", reason: RACE },
  { rule: "R3.5", reason: RACE },
  { rule: "R3.12", reason: RACE },
  { rule: "R3.13", reason: RACE },
  { rule: "R4.12", reason: RACE },
  { rule: "R5.4", reason: RACE },
  { rule: "R5.8", reason: RACE },
  { rule: "R6.9", reason: RACE },
  { rule: "R7.6", reason: RACE },
  { rule: "R7.9", reason: RACE },
  { rule: "R7.12", reason: RACE },
  { rule: "R10.4", reason: RACE },
];
