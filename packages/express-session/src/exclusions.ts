const RACE =
  "an express-session store has no atomic change: a driver reads and writes the whole session, and a write of another process between the two is lost";

/**
 * The clauses of SPEC.md that a driver made by {@link fromExpressSessionStore} breaks if several processes share the
 * store's backend, each with its reason. Pass it as `exclude` of the kit's target. In one process with one store the
 * driver keeps these clauses too.
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
