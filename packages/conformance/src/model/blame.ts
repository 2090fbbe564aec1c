import { type Answer, type Call, differences, type Held, isLive, leavesAsItWas, same } from "./record.ts";

/** The error for a wrong driver: the rule that it breaks, and what the kit saw. */
export class Deviation extends Error {
  override name = "Deviation";
  readonly rule: `R${number}`;
  constructor(rule: `R${number}`, what: string) {
    super(what);
    this.rule = rule;
  }
}

const byMethod = { create: "R1", load: "R2", commit: "R3", destroy: "R7" } as const;

/** The rule that a call breaks if it rejects while the backend is there. */
export const ruleOfError = (call: Call): `R${number}` => byMethod[call.method];

/** The rule that a wrong result breaks. */
export function ruleOfAnswer(call: Call, held: Held, must: Answer, got: Answer, now: number): `R${number}` {
  if (call.method !== "commit") return byMethod[call.method];
  if (must === "gone") return "R4";
  if (got !== "gone") return "R5";
  // "gone" for a change that leaves a live record as it was: the driver took an update of no row for a missing record.
  const idle = call.change.ifVersion === undefined && isLive(held, now) && leavesAsItWas(held, call.change);
  return idle ? "R3" : "R4";
}

/** The rule that a call breaks if it leaves the wrong record. */
export function ruleOfState(call: Call, answer: Answer, must: Held, got: Held, now: number): `R${number}` {
  if (call.method !== "commit") return byMethod[call.method];
  if (must?.fields.size === 0 && got === undefined) return "R9";
  if (answer === "gone") return "R4";
  if (answer === "conflict") return "R5";
  // The commit had to end the record, and did not; or the record is missing.
  if (must === undefined || got === undefined || (isLive(got, now) && !isLive(must, now))) return "R4";
  const parts = differences(must, got);
  // Lost milliseconds are R2's: load rounds.
  if (parts.every((part) => part === "expiresAt") && Math.abs(must.expiresAt - got.expiresAt) < 1000)
    return "R2";
  return parts.some((part) => part !== "version") ? "R3" : "R6";
}

/** Whether the result of `load` is allowed. An expired record may be hidden, but must not be changed. */
export const mayShow = (must: Held, got: Held, now: number): boolean =>
  same(must, got) || (got === undefined && !isLive(must, now));
